"""Key phrases of a recommendation: the drug, test, procedure or vaccine it is about, and what it says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise

from retrieval.sentences import sentence_spans
from retrieval.tokens import STOP_WORDS, tokenise
from training.questionset.terms import terms


class PhraseKind(StrEnum):
    """What a phrase names."""

    DRUG = "drug"
    DRUG_CLASS = "drug_class"
    TEST = "test"
    PROCEDURE = "procedure"
    VACCINE = "vaccine"


class Says(StrEnum):
    """What the sentence gives about the phrase."""

    DOSE = "dose"
    DURATION = "duration"
    INTERVAL = "interval"
    CONTRAINDICATED = "contraindicated"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase in a passage."""

    text: str
    kind: PhraseKind
    says: frozenset[Says]
    #: Characters before its sentence.
    at: int

    @property
    def terms(self) -> frozenset[str]:
        """Its stemmed terms."""
        return frozenset(tokenise(self.text))


_DOSE = re.compile(
    r"\d[\d.,]*\s*(?:[-–]|to)?\s*[\d.,]*\s*(?:mg|mcg|µg|micrograms?|grams?|g|ml|IU|I\.U\.?|units?|"
    r"million units|mega ?units?|mmol|mEq)\b(?!/dL)",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"\b(?:for|over)\s+(?:at least |up to |about )?(?:a )?\d+\s*(?:[-–]|to)?\s*\d*\s*(?:days?|weeks?|months?)", re.I
)
_INTERVAL = re.compile(
    r"\b(?:every \d+[-–to ]*\d* (?:years?|months?|weeks?)|annual(?:ly)?|yearly|once a year|every (?:year|"
    r"month|week))\b",
    re.I,
)
_CONTRA = re.compile(r"\bcontraindicat|\bshould (?:not|be avoided)|\bdo not (?:use|give|prescribe)|\bavoid", re.I)
# Before a phrase that a sentence only mentions: what was taken before, what is compared, what causes harm.
_MENTIONED = re.compile(
    r"\b(?:reduc\w+|due to|caus\w+(?: by)?|exogenous|than|after|before|history of|allerg\w+ to|"
    r"hypersensitiv\w+ to|taking|receiving|already on|"
    r"induced by|toxicity of|withdrawal (?:from|of)|resistan\w+ to|tolerat\w+|responded to|respond to|"
    r"failed|sensitive to|intoleran\w+ (?:to|of)|"
    r"serum|levels? of|risk of|failure of|unlike|interact\w* with|acetyl|such as|e\.g\.?,?)\s+"
    r"(?:\w+\s+)?$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-'/][A-Za-z0-9]+)*")
_GAP = re.compile(r"[^\s]")


def phrases_of(text: str, common: frozenset[tuple[str, str]]) -> Iterator[Phrase]:
    """Phrases of a passage in reading order, each once.

    Args:
        common: pairs of neighbouring words that the library repeats; only those make a phrase of several words.
    """
    seen: set[str] = set()
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        for begin, stop, kind in _spans(sentence, common):
            phrase = _shown(sentence[begin:stop])
            if _MENTIONED.search(sentence[max(0, begin - 40) : begin]):
                continue
            if phrase.casefold() in seen:
                continue
            seen.add(phrase.casefold())
            yield Phrase(phrase, kind, _says(sentence, stop, kind), start)


def has_cue(sentence: str) -> bool:
    """Whether a sentence says what to do."""
    return bool(_cues().search(sentence))


def neighbours(text: str) -> Iterator[tuple[str, str]]:
    """Pairs of neighbouring words, with nothing between them."""
    found = list(_WORD.finditer(text))
    for one, other in pairwise(found):
        if not _GAP.search(text, one.end(), other.start()):
            yield one[0].casefold(), other[0].casefold()


def is_drug(word: str) -> bool:
    """Whether a word names a drug, by its ending or by the list."""
    word = word.casefold()
    if word in _drugs():
        return True
    if len(word) < 7 or word in terms().not_drugs:
        return False
    return word.endswith(terms().drug_endings)


@cache
def _drugs() -> frozenset[str]:
    return frozenset(terms().drugs)


@cache
def _cues() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(sorted(terms().cues))})", re.IGNORECASE)


@cache
def _several() -> re.Pattern[str]:
    names = sorted((name for name in terms().drugs if not name.isalpha()), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b", re.IGNORECASE)


@cache
def _kinds() -> dict[str, PhraseKind]:
    return {
        form: PhraseKind(kind)
        for kind, heads in terms().heads.items()
        for head in heads
        for form in (head, _plural(head))
    }


def _plural(word: str) -> str:
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + "s"


def _spans(sentence: str, common: frozenset[tuple[str, str]]) -> Iterator[tuple[int, int, PhraseKind]]:
    taken = [match.span() for match in _several().finditer(sentence) if not _goes_on(sentence, match.end())]
    for start, end in taken:
        yield start, end, PhraseKind.DRUG
    found = list(_WORD.finditer(sentence))
    kinds, lists = _kinds(), terms()
    for place, match in enumerate(found):
        word = match[0].casefold()
        if any(start <= match.start() < end for start, end in taken):
            continue
        follows = place + 1 < len(found) and not _GAP.search(sentence, match.end(), found[place + 1].start())
        if is_drug(word):
            # "lithium level", "insulin pump": another thing than the drug.
            if not (follows and kinds.get(found[place + 1][0].casefold())) and not _goes_on(sentence, match.end()):
                yield match.start(), match.end(), PhraseKind.DRUG
            continue
        kind = kinds.get(word)
        if kind is None or (follows and found[place + 1][0].casefold() in kinds):
            continue
        begin, back = match.start(), place
        while back > 0 and place - back < 2:
            before = found[back - 1]
            pair = (before[0].casefold(), found[back][0].casefold())
            if _GAP.search(sentence, before.end(), found[back].start()) or pair not in common or not _fits(pair[0]):
                break
            begin, back = before.start(), back - 1
        if found[back][0].casefold() in lists.inner_words:
            continue
        if follows and found[place + 1][0].casefold() in lists.after_drugs:
            continue
        singular = word[:-1] if word.endswith("s") else word
        if back == place and (word in lists.heads_need_more or singular in lists.heads_need_more):
            continue
        if (
            back > 0
            and found[back - 1][0].casefold() in _QUALIFIERS
            and not _GAP.search(sentence, found[back - 1].end(), begin)
        ):
            continue
        yield begin, match.end(), kind


#: Words without which a phrase says another thing: "high protein diet" is no protein diet.
_QUALIFIERS = frozenset({"high", "low", "non", "narrow", "broad", "poor", "single", "double", "multiple"})


def _goes_on(sentence: str, end: int) -> bool:
    """Whether the word after a drug makes another thing of it: "calcium channel", "vitamin K antagonist"."""
    following = _WORD.search(sentence, end)
    if following is None or _GAP.search(sentence.replace("-", " "), end, following.start()):
        return False
    return following[0].casefold() in terms().after_drugs


def _fits(word: str) -> bool:
    return (
        word not in terms().not_in_phrases
        and word not in STOP_WORDS
        and len(word) > 2
        and not word.endswith("ly")
        and not word[0].isdigit()
    )


def _shown(phrase: str) -> str:
    words = phrase.split()
    return " ".join(word if not word[1:].islower() or len(word) < 3 else word.lower() for word in words)


def _says(sentence: str, stop: int, kind: PhraseKind) -> frozenset[Says]:
    found: set[Says] = set()
    after = sentence[stop : stop + 100]
    if kind is PhraseKind.DRUG:
        dose = _DOSE.search(after)
        if dose is not None and not any(is_drug(word) for word in _WORD.findall(after[: dose.start()])):
            found.add(Says.DOSE)
            duration = _DURATION.search(after)
            if duration is not None and not any(is_drug(word) for word in _WORD.findall(after[: duration.start()])):
                found.add(Says.DURATION)
    if kind in (PhraseKind.TEST, PhraseKind.PROCEDURE) and _INTERVAL.search(sentence):
        found.add(Says.INTERVAL)
    if kind is PhraseKind.DRUG and re.search(r"\bcontraindicat", sentence, re.I):
        found.add(Says.CONTRAINDICATED)
    return frozenset(found)
