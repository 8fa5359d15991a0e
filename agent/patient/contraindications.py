"""A patient against the contraindications that a recommendation states.

A contraindication is read as: which of the drugs advised it is about ("Labetalol: asthma", "Pregnancy (doxycycline)",
"Metformin in severe renal impairment"), what it names, and how firmly. Only what it names is compared, numbers as
numbers. What asks for caution, for a lower dose or for advice is something to check, not a contraindication; so is what
needs knowing more of the patient than was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from agent.patient.advice import Advice
from agent.patient.ages import stated_ages
from agent.patient.allergens import ALLERGY, stated_allergens
from agent.patient.allergies import condition_patterns
from agent.patient.conflict import Conflict, FactKind, Weight
from agent.patient.names import Named, drug_names, spoken
from agent.patient.organs import FAILURE_BELOW, IMPAIRED_BELOW, SEVERE_BELOW, measure_named, sure_limit
from agent.patient.patient import Allergy, Hepatic, Liver, Patient, Pregnancy, Range, Renal

#: Longer ones are a section about a whole guideline: what is found there is something to check.
_LONGEST = 240
_SOFT = re.compile(
    r"\b(?:caution\w*|reduc(?:e|ed|ing)|lower|halve|adjust\w*|adjustment|seek|advice|consider\w*|check|monitor\w*|where\s+possible|"
    r"particular\s+care|may\s+change|raises?|watch|needs?|warn\w*|unless\s+the\s+benefit)\b",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"(?P<of>[^:]{2,60}):\s+(?P<what>.+)", re.DOTALL)
_SUFFIX = re.compile(r"(?P<what>.+?)\s*\((?P<of>(?!use\b|such\b)[^()]{3,60})\)\s*", re.DOTALL | re.IGNORECASE)
_NOTE = re.compile(r"\([^()]*\)")
_IN = re.compile(r"\s*(?:in|at|during|with|together\s+with|when)\s+", re.IGNORECASE)
_SEVERE_ALLERGY = re.compile(r"\b(?:severe|serious|anaphyla\w+|life[\s-]threatening)\b", re.IGNORECASE)
_PREGNANCY = re.compile(r"\bpregnan(?:cy|t)\b", re.IGNORECASE)
_NOT_THE_PATIENTS = re.compile(r"\b(?:planned|planning|possible)\s+$", re.IGNORECASE)
_DESENSITISE = re.compile(r"\bdesensiti[sz]\w*(?P<only>\s+in\s+pregnancy)?", re.IGNORECASE)
_LATE = re.compile(r"\b(?:late|third\s+trimester(?:\s+of)?|at\s+term)\b", re.IGNORECASE)
_EARLY = re.compile(r"\b(?:first\s+trimester)\b", re.IGNORECASE)
_TERM = re.compile(r"\bat\s+term\b", re.IGNORECASE)
_FEEDING = re.compile(r"\bbreast-?\s?feeding\b(?P<only>\s+an\s+infant\s+not)?|\blactation\b", re.IGNORECASE)
_LIMIT = re.compile(
    r"\b(?P<what>e?GFR|creatinine\s+clearance|CrCl)\s*(?:of|is)?\s*(?:<|less\s+than|below|under)\s*(?P<n>\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_RENAL = re.compile(
    r"\b(?P<how>severe|significant|established|end[\s-]stage|moderate)?\s*(?:renal|kidney)\s+(?P<what>impairment|failure|disease|insufficiency)\b",
    re.IGNORECASE,
)
_HEPATIC = re.compile(
    r"\b(?P<how>severe|active|acute)?\s*(?:(?:liver|hepatic)\s+(?P<what>impairment|disease|dysfunction|failure|cirrhosis)|hepatitis|cirrhosis)\b",
    re.IGNORECASE,
)
_BY_A_DRUG = re.compile(r"associated\s+(?:jaundice|\w+)", re.IGNORECASE)
_AGE = re.compile(
    r"\b(?:age|aged|children|infants|babies|people)\s+(?:under|over|below|above|younger|older)\b", re.IGNORECASE
)
_TOGETHER = re.compile(
    r"^(?:use\s+)?with\b|\btogether\s+with\b|\bcombin\w+\b|\bcurrent\b|\btaken\s+within\b|^effective\b|^interacting\b|\binteracting\s+medicines\b|\binteractions?\b|\bwith\b|"
    r"\buse\s+with\b|\bin\s+the\s+last\b",
    re.IGNORECASE,
)
_TIMED = re.compile(r"\b(?:within|in\s+the\s+last)\b", re.IGNORECASE)
_ANY_INTERACTION = re.compile(
    r"\b(?:interacting\s+medicines|interacting\s+drugs|drug\s+interactions|interactions)\b(?!\s+(?:that|such))",
    re.IGNORECASE,
)
_DEGREE = re.compile(
    r"\b(?P<how>severe|critical|uncontrolled|unstable|untreated|active|advanced|decompensated|acute|significant|recent|second|third-degree|complete)\s+(?:\w+\s+)?$",
    re.IGNORECASE,
)
_STATED = "a stated contraindication"
_TERM_WEEKS = Range(low=37)
_THIRD_TRIMESTER = Range(low=28)
_FIRST_TRIMESTER = Range(high=14)


class _Stated(NamedTuple):
    """A contraindication, read."""

    item: str
    #: What it names.
    what: str
    #: What a conflict with it means for the recommendation.
    weight: Weight
    #: The drugs it is about; empty where it is about all of them.
    of: tuple[Named, ...]


def contraindication_conflicts(
    patient: Patient, items: Iterable[str], advice: Advice, *, for_pregnant: bool
) -> list[Conflict]:
    """What the stated contraindications say against this patient.

    `for_pregnant`: it is for pregnant women, so that a contraindication in pregnancy is not of it whole.
    """
    found: list[Conflict] = []
    for item in items:
        for part in item.split(";") if _SOFT.search(item) else [item]:
            stated = _read(part.strip(), advice)
            if stated is not None:
                found += _against(patient, stated, for_pregnant=for_pregnant)
    return found


def _read(item: str, advice: Advice) -> _Stated | None:
    """None where it is about a drug that is not advised, or where nothing is to be given."""
    soft = _SOFT.search(item) is not None or len(item) > _LONGEST
    names = drug_names()
    what = item
    scope: tuple[Named, ...] = ()
    if (
        (match := _PREFIX.fullmatch(item)) and (drugs := names.find(match["of"])) and not ALLERGY.search(match["of"])
    ) or ((match := _SUFFIX.fullmatch(item)) and (drugs := names.find(match["of"]))):
        what, scope = match["what"], drugs
    elif (named := names.find(item)) and named[0].start == 0:
        head = [named[0]]
        for drug in named[1:]:
            if re.fullmatch(r"\s*(?:,|or|and|,\s*or)\s*", item[head[-1].end : drug.start]):
                head.append(drug)
        if match := _IN.match(item, head[-1].end):
            what, scope = item[match.end() :] if "with" not in match[0] else item[match.start() :].strip(), tuple(head)
    if not scope:
        return None if advice.only_forbids else _Stated(item, what, Weight.CHECK if soft else Weight.WHOLE, ())
    of = tuple(
        drug for drug in advice.drugs if any(names.covers(drug.names, name) for part in scope for name in part.names)
    )
    if not of and not advice.drugs and not advice.only_forbids:
        # The drug is named in the contraindication alone.
        return _Stated(item, what, Weight.CHECK, ())
    if not of:
        return None
    weight = (
        Weight.WHOLE if len({drug.names for drug in of}) == len({drug.names for drug in advice.drugs}) else Weight.PART
    )
    return _Stated(item, what, Weight.CHECK if soft else weight, of)


def _against(patient: Patient, stated: _Stated, *, for_pregnant: bool) -> Iterable[Conflict]:
    def conflict(kind: FactKind, fact: str, said: str, *, sure: bool = True, against: str = _STATED) -> Conflict:
        return Conflict(
            kind=kind,
            weight=stated.weight if sure else Weight.CHECK,
            fact=fact,
            against=against if not stated.of or against != _STATED else f"stated against {_listed(stated.of)}",
            question_words=said,
            recommendation_words=stated.item,
        )

    what = stated.what
    if ALLERGY.search(what):
        for allergy in patient.allergies:
            if (sure := _allergy(allergy, stated.item, pregnant=patient.is_pregnant)) is not None:
                yield conflict(FactKind.ALLERGY, allergy_in_words(allergy), allergy.words, sure=sure)
    elif _TOGETHER.search(stated.item):
        yield from _with_drugs(patient, stated, conflict)
    # A note: "Penicillin allergy (desensitise in pregnancy)" is not against pregnancy.
    what = _NOTE.sub(" ", what)
    if (
        (pregnancy := patient.pregnancy)
        and pregnancy.holds
        and not (for_pregnant and not stated.of and not _EARLY.search(what) and not _LATE.search(what))
    ):
        match = _PREGNANCY.search(what) or _TERM.search(what)
        if match and not _NOT_THE_PATIENTS.search(what[: match.start()]):
            sure = _stage(pregnancy, what)
            if sure is not None:
                yield conflict(FactKind.PREGNANCY, "pregnant", pregnancy.words, sure=sure)
    if (feeding := patient.breast_feeding) and feeding.holds and (match := _FEEDING.search(what)):
        yield conflict(FactKind.BREAST_FEEDING, "breast-feeding", feeding.words, sure=not match["only"])
    if (renal := patient.renal) and (sure := _renal(renal, what)) is not None:
        yield conflict(FactKind.RENAL, renal.words, renal.words, sure=sure)
    if (hepatic := patient.hepatic) and (sure := _hepatic(hepatic, what)) is not None:
        yield conflict(FactKind.HEPATIC, hepatic.words, hepatic.words, sure=sure)
    if (age := patient.age) and age.stated and _AGE.search(what):
        for ages in stated_ages(what):
            if age.years.meets(ages):
                yield conflict(FactKind.AGE, age.told, age.words, sure=age.years.within(ages))
    for condition in patient.conditions:
        match = condition_patterns()[condition.name].search(what)
        if match and not (condition.name in _ALLERGY_LIKE and ALLERGY.search(what)):
            degree = _DEGREE.search(what[: match.start()]) or re.match(
                r"(?P<how>severe|critical|uncontrolled|recent|active)\b", match[0], re.IGNORECASE
            )
            sure = degree is None or degree["how"].lower() in condition.words.lower()
            yield conflict(FactKind.CONDITION, condition.name, condition.words, sure=sure)


_ALLERGY_LIKE = frozenset(["angioedema"])


def _allergy(allergy: Allergy, item: str, *, pregnant: bool) -> bool | None:
    """True: this very allergy. False: something to check. None: another one."""
    names = drug_names()
    suffixed = _SUFFIX.fullmatch(item)
    what = suffixed["what"] if suffixed else item
    if (prefix := _PREFIX.fullmatch(what)) and not ALLERGY.search(prefix["of"]):
        what = prefix["what"]
    if not any(names.cross_reacts(allergy.names, name) for name in stated_allergens(what)):
        return None
    if allergy.intolerance or may_be_desensitised(item, pregnant=pregnant):
        return False
    return allergy.severe is True or not _SEVERE_ALLERGY.search(what)


def may_be_desensitised(words: str, *, pregnant: bool) -> bool:
    """Whether the recommendation itself says how it is followed in spite of an allergy."""
    match = _DESENSITISE.search(words)
    return match is not None and (pregnant or not match["only"])


def _with_drugs(patient: Patient, stated: _Stated, conflict: Callable[..., Conflict]) -> Iterable[Conflict]:
    names = drug_names()
    # "Do not combine an ACE inhibitor with an ARB": one is taken, the other advised.
    partners = names.find(stated.what)
    # When a drug was last taken is not read.
    timed = _TIMED.search(stated.what) is not None
    also_renal = _RENAL.search(stated.what) is not None and not _PREFIX.match(stated.item)
    hit = False
    for taken in patient.drugs:
        for partner in partners:
            if any(names.covers(taken.names, name) for name in partner.names):
                hit = True
                yield conflict(
                    FactKind.CURRENT_DRUG,
                    f"takes {_spoken(taken.names)}",
                    taken.words,
                    sure=not also_renal and not timed,
                )
                break
    if not hit and patient.drugs and _ANY_INTERACTION.search(stated.what):
        taken = patient.drugs[0]
        yield conflict(FactKind.CURRENT_DRUG, f"takes {_spoken(taken.names)}", taken.words, sure=False)


def _stage(pregnancy: Pregnancy, what: str) -> bool | None:
    """Whether a contraindication holds at this stage of pregnancy; False where it is not known."""
    limit = (
        _TERM_WEEKS
        if _TERM.search(what)
        else _THIRD_TRIMESTER
        if _LATE.search(what)
        else _FIRST_TRIMESTER
        if _EARLY.search(what)
        else None
    )
    if limit is None:
        return True
    if pregnancy.weeks is None:
        return False
    if pregnancy.weeks.within(limit):
        return True
    return False if pregnancy.weeks.meets(limit) else None


def _renal(renal: Renal, what: str) -> bool | None:
    """True: the stated limit or degree is reached. False: it may be. None: it is not."""
    answers: list[bool] = []
    for match in _LIMIT.finditer(what):
        limit = float(match["n"])
        measure = measure_named(match["what"])
        answers += _below(renal.filtration, sure_limit(renal, measure, limit))
        if renal.measure not in (measure, "either") and not any(answers):
            answers += [False] if renal.filtration.meets(Range(high=limit)) else []
    for match in _RENAL.finditer(what):
        how = (match["how"] or "").lower()
        if match["what"].lower() == "failure" or how.startswith(("end", "established")):
            answers += _below(renal.filtration, FAILURE_BELOW)
        elif how == "severe":
            answers += _below(renal.filtration, SEVERE_BELOW)
        elif renal.filtration.meets(Range(high=IMPAIRED_BELOW)):
            # How much is left open, so that only what is severe anywhere is sure.
            answers.append(renal.filtration.within(Range(high=SEVERE_BELOW)))
    return None if not answers else any(answers)


def _below(filtration: Range, limit: float) -> list[bool]:
    below = Range(high=limit)
    if filtration.within(below):
        return [True]
    return [False] if filtration.meets(below) else []


def _hepatic(hepatic: Hepatic, what: str) -> bool | None:
    """True: the stated degree is reached. False: it may be. None: it is not."""
    if hepatic.state is Liver.NORMAL or _BY_A_DRUG.search(what):
        return None
    match = _HEPATIC.search(what)
    if match is None:
        return None
    how = (match["how"] or "").lower()
    if hepatic.state is Liver.SEVERE:
        return True
    if how == "severe" or (match["what"] or "").lower() == "failure":
        return "hepatitis" in what.lower() and hepatic.state is Liver.ACTIVE
    if how in ("active", "acute"):
        return hepatic.state is Liver.ACTIVE
    return (match["what"] or "").lower() == "disease" or hepatic.state is Liver.ACTIVE


def allergy_in_words(allergy: Allergy) -> str:
    """ "penicillin allergy"."""
    return f"{_spoken(allergy.names)} {'intolerance' if allergy.intolerance else 'allergy'}"


def _spoken(names: Iterable[str]) -> str:
    return " and ".join(sorted(spoken(name) for name in names))


def _listed(drugs: Iterable[Named]) -> str:
    return ", ".join(dict.fromkeys(_spoken(drug.names) for drug in drugs))
