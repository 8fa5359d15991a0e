"""Allergies, current drugs and other conditions of the patient, as a question tells of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from agent.patient.names import Named, drug_names
from agent.patient.patient import Allergy, Condition, CurrentDrug
from agent.patient.said import Said, of_patient, said, sentence_of
from retrieval.data_files import read_yaml

CONDITIONS_FILE = Path(__file__).with_name("conditions.yaml")

_SEVERE = (
    r"anaphyla\w+|angio-?o?edema|bronchospasm|stevens[\s-]+johnson(?:\s+syndrome)?|SJS|TEN|toxic\s+epidermal\s+necrolysis|DRESS|"
    r"life[\s-]threatening\s+reaction|wheez\w+|throat\s+swelling"
)
_MILD = r"hives|urticaria|rash|itch\w*|swelling|facial\s+swelling"
_REACTION = re.compile(
    rf"\b(?P<severe>{_SEVERE})\b|\b(?P<mild>{_MILD})\b"
    r"|\b(?P<plain>allerg(?:y|ies|ic)(?:\s+reactions?)?|hypersensitiv(?:e|ity)|react(?:s|ed)|reactions?)\b|\b(?P<into>intoleran(?:t|ce))\b",
    re.IGNORECASE,
)
#: Between a reaction and the drug that caused it.
_TO = re.compile(
    r"(?:\s+(?:and|or|,)?\s*(?:\w+\s+){0,2}?)?\s*(?:to|with|after|from|on|of|when\s+(?:given|taking|on)|following|:|=|\()\s*(?:taking\s+|having\s+|an?\s+|the\s+|his\s+|her\s+)?$",
    re.IGNORECASE,
)
_JOINS = re.compile(r"\s*(?:,|/|&|\band\b|\bor\b|,\s*and\b)\s*(?:to\s+)?$", re.IGNORECASE)
_MILDLY = re.compile(r"\b(?:mild|minor|slight)\s*$", re.IGNORECASE)
_SEVERELY = re.compile(r"\b(?:severe|serious|life[\s-]threatening|immediate)\s+(?:\w+\s+)?$", re.IGNORECASE)
_NO_ALLERGIES = re.compile(
    r"\b(?:NKDA|NKA|(?:no|nil|denies|without)\s+(?:(?:known|any|drug|history\s+of)\s+)*allerg(?:y|ies)(?!\s+to\b)|allerg(?:y|ies)\s*[:=]?\s*(?:nil|none|no\b))",
    re.IGNORECASE,
)
_TOLERATED = re.compile(
    r"\b(?:tolerat(?:ed|es)|fine|without\s+(?:problems?|reaction)|no\s+(?:reaction|problems?))\b", re.IGNORECASE
)
#: "Pen allergic", "cef allergy": short for a class there only.
_SHORT = re.compile(
    r"\b(?:(?P<penicillins>pens?)|(?P<cephalosporins>cef|cephs?|cephalo))(?=[\s-]*allerg)", re.IGNORECASE
)

_TAKES = re.compile(
    r"\b(?:(?:is\s+|currently\s+|already\s+|now\s+|and\s+|who\s+is\s+|who['’]s\s+|she['’]s\s+|he['’]s\s+|stable\s+|established\s+|maintained\s+)*(?<!-)on|takes|taking|treated\s+with|using|uses|"
    r"receiv(?:es|ing)|drug\s+history:?|DHx?:|meds:?|medications?:|current\s+(?:medicines|medications?|drugs):?|prescribed)\s+",
    re.IGNORECASE,
)
_TO_BE_STARTED = re.compile(
    r"\b(?:start(?:ed|ing)?|put|decid\w+|home|discharged?|sent|plac(?:ed|ing)|switch\w*|chang\w+|begin|initiate|commence|want(?:s|ed)?\s+to|should|could|can|may|advice|guidance|guideline|information|evidence|question|focus|rash|reaction|swelling|hives|urticaria|allergy|intoleran\w+)\s+"
    r"(?:\w+\s+){0,3}$",
    re.IGNORECASE,
)
_BETWEEN_DRUGS = re.compile(
    r"\s*(?:\(?\d[\d.,/]*\s*(?:mg|mcg|micrograms?|g|units?|ml)?\)?\s*(?:od|bd|tds|qds|daily|nocte|weekly|once\s+daily|twice\s+daily)?\s*)?(?:,|/|&|\+|\band\b|,\s*and\b)\s*(?:(?:long[\s-]term|regular|oral|low[\s-]dose|inhaled|a|an|some)\s+)*$",
    re.IGNORECASE,
)
_BEFORE_DRUG = re.compile(
    r"(?:(?:long[\s-]term|regular|oral|low[\s-]dose|high[\s-]dose|inhaled|daily|weekly|a|an|the|some|her|his)\s+)*$",
    re.IGNORECASE,
)
_IS_A = re.compile(r"\b(?:warfarini[sz]ed|anticoagulated)\b", re.IGNORECASE)


def read_allergies(text: str) -> tuple[tuple[Allergy, ...], str | None, frozenset[str]]:
    """The allergies said of the patient, the words that deny any, and drugs that the patient is said to take well."""
    named = _with_pen(text)
    found: dict[frozenset[str], Allergy] = {}
    tolerated: set[str] = set()
    for reaction in _REACTION.finditer(text):
        first, last = sentence_of(text, *reaction.span())
        for drugs, words in _caused_by(text, reaction, named, first, last):
            names = frozenset(name for drug in drugs for name in drug.names)
            standing = said(text, *reaction.span())
            if standing is Said.NO or said(text, drugs[0].start, drugs[0].end) is Said.NO:
                tolerated |= names
            elif standing is Said.YES:
                allergy = Allergy(
                    words=words, names=names, severe=_how_severe(text, reaction), intolerance=bool(reaction["into"])
                )
                known = found.get(names)
                if (
                    known is None
                    or (allergy.severe and not known.severe)
                    or (known.intolerance and not allergy.intolerance)
                ):
                    found[names] = allergy
    for match in _TOLERATED.finditer(text):
        first, last = sentence_of(text, *match.span())
        tolerated |= {
            name
            for drug in named
            if first <= drug.start < last and abs(drug.start - match.start()) < 60
            for name in drug.names
            if not any(
                drug.start >= text.find(item.words) and drug.end <= text.find(item.words) + len(item.words)
                for item in found.values()
            )
        }
    denied = _NO_ALLERGIES.search(text)
    if denied is not None and said(text, denied.end(), denied.end()) is Said.NOT_THEIRS:
        denied = None
    return tuple(found.values()), denied[0] if denied else None, frozenset(tolerated)


def _with_pen(text: str) -> tuple[Named, ...]:
    short = [Named(*match.span(), frozenset([str(match.lastgroup)])) for match in _SHORT.finditer(text)]
    return tuple(sorted([*drug_names().find(text), *short]))


def _caused_by(
    text: str, reaction: re.Match[str], named: tuple[Named, ...], first: int, last: int
) -> list[tuple[list[Named], str]]:
    """The drugs that a reaction is said to be to, with the words from one to the other."""
    after = [drug for drug in named if reaction.end() <= drug.start < last]
    if after and _TO.fullmatch(text[reaction.end() : after[0].start]):
        drugs = after[:1]
        for drug in after[1:]:
            if not _JOINS.fullmatch(text[drugs[-1].end : drug.start]):
                break
            drugs.append(drug)
        return [(drugs, text[reaction.start() : drugs[-1].end])]
    # "penicillin allergy", "aspirin allergy (bronchospasm)", "amoxicillin: rash", "reaction" needs "to".
    before = [drug for drug in named if first <= drug.start and drug.end <= reaction.start()]
    if before and re.fullmatch(
        r"[\s:=>(→-]*(?:(?:drug|severe|known|mild|caused|gave|gives|causes|hypersensitivity|allergy|allergic\s+reaction)\s*[(:,-]?\s*(?:him|her|them)?\s*){0,2}",
        text[before[-1].end : reaction.start()],
        re.IGNORECASE,
    ):
        if (
            reaction["plain"]
            and reaction["plain"].lower().startswith("react")
            and ":" not in text[before[-1].end : reaction.start()]
        ):
            return []
        drugs = before[-1:]
        for drug in reversed(before[:-1]):
            if not _JOINS.fullmatch(text[drug.end : drugs[0].start]):
                break
            drugs.insert(0, drug)
        return [(drugs, text[drugs[0].start : reaction.end()])]
    return []


def _how_severe(text: str, reaction: re.Match[str]) -> bool | None:
    if reaction["severe"] or _SEVERELY.search(text[: reaction.start()]):
        return True
    if _MILDLY.search(text[: reaction.start()]):
        return False
    near = text[reaction.start() : sentence_of(text, *reaction.span())[1]]
    return True if re.search(rf"\b(?:{_SEVERE})\b", near, re.IGNORECASE) else None


def read_drugs(text: str) -> tuple[CurrentDrug, ...]:
    """The drugs that the patient takes, as far as it is said."""
    named = drug_names().find(text)
    found: dict[frozenset[str], CurrentDrug] = {}
    for cue in _TAKES.finditer(text):
        _, last = sentence_of(text, *cue.span())
        if _TO_BE_STARTED.search(text[: cue.start()]) or said(text, *cue.span()) is not Said.YES:
            continue
        at = cue.end()
        for drug in (drug for drug in named if at <= drug.start < last):
            between = text[at : drug.start]
            if not (_BEFORE_DRUG if at == cue.end() else _BETWEEN_DRUGS).fullmatch(between):
                break
            found[drug.names] = CurrentDrug(words=text[cue.start() : drug.end].strip(), names=drug.names)
            at = drug.end
    for match in of_patient(_IS_A, text):
        name = "warfarin" if match[0].lower().startswith("warf") else "anticoagulants"
        found[frozenset([name])] = CurrentDrug(words=match[0], names=frozenset([name]))
    return tuple(found.values())


_DEGREE = re.compile(
    r"\b(?:severe|uncontrolled|unstable|active|untreated|decompensated|acute|recent|critical|advanced)\s+(?:\w+\s+)?$",
    re.IGNORECASE,
)


@cache
def condition_patterns() -> dict[str, re.Pattern[str]]:
    """The conditions of `conditions.yaml`, each with the words for it."""
    data: dict[str, list[str]] = read_yaml(CONDITIONS_FILE)
    return {name: re.compile(rf"\b(?:{'|'.join(words)})(?!\w)", re.IGNORECASE) for name, words in data.items()}


def read_conditions(text: str) -> tuple[tuple[Condition, ...], frozenset[str]]:
    """The conditions said of the patient, and those that are denied."""
    found: list[Condition] = []
    denied: set[str] = set()
    for name, pattern in condition_patterns().items():
        standings = [(said(text, *match.span()), _with_degree(text, match)) for match in pattern.finditer(text)]
        if words := next((words for standing, words in standings if standing is Said.YES), None):
            found.append(Condition(words=words, name=name))
        elif any(standing is Said.NO for standing, _ in standings):
            denied.add(name)
    return tuple(found), frozenset(denied)


def _with_degree(text: str, match: re.Match[str]) -> str:
    degree = _DEGREE.search(text[: match.start()])
    return text[degree.start() if degree else match.start() : match.end()]
