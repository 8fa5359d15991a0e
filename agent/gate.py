"""The answer gate: what a sentence must pass before it may leave the service.

First cut, deterministic and linear in the text's length. A sentence is shown only when it carries
at least one key, every key is this run's, every quantity stands with the same unit, comparator and
order in one cited passage, it holds as many negations as the statement it restates and keeps its
conditions, and its words are the passage's own, a few plain words apart. Everything else is withheld
with a reason: when in doubt, the clinician gets the recommendation itself. The gate never edits a
sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from agent.evidence import Evidence, EvidenceBook
from agent.quantities import QUANTITY_WORDS, Quantity, quantities
from agent.sentences import DraftSentence
from retrieval import Passage

#: Least share of a sentence's content words that the cited passages must contain, plain words included.
#: Set by judgement, not fitted: one new word in five is already a different claim in a short sentence.
MIN_SUPPORT = 0.8

#: The only words a sentence may add of its own. No share of support can allow more: in a long sentence
#: one swapped word ("ampicillin" for "amoxicillin", "reduce" for "increase") is a small share.
PLAIN_WORDS = (
    "case cases choice drug evidence follow following give given guideline guidelines guidance include includes "
    "included including medicine medication offer offered option patient patients people person prescribe prescribed "
    "recommend recommendation recommended recommends suggest suggested take taken therapy treat treated treatment use "
    "used uses using"
)


class WithheldReason(StrEnum):
    """Why a sentence was not shown."""

    NO_CITATION = "no_citation"
    UNKNOWN_KEY = "unknown_key"
    NUMBER_NOT_IN_PASSAGE = "number_not_in_passage"
    NEGATION_DIFFERS = "negation_differs"
    CONDITION_DROPPED = "condition_dropped"
    WORDS_NOT_IN_PASSAGE = "words_not_in_passage"


class Verdict(BaseModel):
    """The gate's decision on one sentence; `support` is in [0, 1], None where it was not reached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    keys: tuple[str, ...]
    shown: bool
    reason: WithheldReason | None = None
    #: What exactly was missing ("7 d", "key qqq"); for the log, not for the clinician.
    detail: str | None = None
    support: float | None = None


class AnswerGate:
    """Checks sentences against the evidence of one run."""

    def __init__(self, book: EvidenceBook, min_support: float = MIN_SUPPORT) -> None:
        self._book = book
        self._min_support = min_support

    def check(self, sentence: DraftSentence) -> Verdict:
        """The verdict on one sentence."""
        if not sentence.keys:
            return _withheld(sentence, WithheldReason.NO_CITATION)
        cited: list[Evidence] = []
        for key in sentence.keys:
            evidence = self._book.resolve(key)
            if evidence is None:
                return _withheld(sentence, WithheldReason.UNKNOWN_KEY, f"key {key}")
            cited.append(evidence)
        passages = [evidence.hit.passage for evidence in cited]
        if missing := _unmatched_quantities(sentence.text, passages):
            return _withheld(sentence, WithheldReason.NUMBER_NOT_IN_PASSAGE, missing)
        # Part by part: "give A; do not give B" must not pass as "do not give A; give B".
        parts = [sentence.text] if _WARNING_LIST.match(sentence.text) else sentence.text.split(";")
        if any(_negations(part) != _expected_negations(part, passages) for part in parts):
            return _withheld(sentence, WithheldReason.NEGATION_DIFFERS)
        if condition := _dropped_condition(sentence.text, passages):
            return _withheld(sentence, WithheldReason.CONDITION_DROPPED, condition)
        support, invented = _support(sentence.text, cited)
        if invented or support < self._min_support:
            return _withheld(sentence, WithheldReason.WORDS_NOT_IN_PASSAGE, " ".join(invented) or None, support)
        return Verdict(text=sentence.text, keys=sentence.keys, shown=True, support=support)


def _withheld(
    sentence: DraftSentence, reason: WithheldReason, detail: str | None = None, support: float | None = None
) -> Verdict:
    return Verdict(text=sentence.text, keys=sentence.keys, shown=False, reason=reason, detail=detail, support=support)


def _unmatched_quantities(text: str, passages: Sequence[Passage]) -> str | None:
    """What the best single passage lacks, or None when one passage holds every quantity.

    Quantities of one unit must also stand in the passage's order: "200 mg on the first day, then
    100 mg" holds the same two doses as its opposite.
    """
    stated = quantities(text)
    lacking = []
    for passage in passages:
        held = quantities(passage.citable_text)
        missing = set(stated) - set(held)
        lacking.append(missing or {q for q in stated if not _in_order(q.unit, stated, held)})
    best = min(lacking, key=len)
    return "; ".join(sorted(" ".join(part for part in (q.comparator, q.number, q.unit) if part) for q in best)) or None


def _in_order(unit: str, stated: Sequence[Quantity], held: Sequence[Quantity]) -> bool:
    """True when the stated quantities of a unit can be read off the held ones from left to right."""
    rest = iter([q for q in held if q.unit == unit])
    wanted = [q for q in stated if q.unit == unit]
    # A dose said again right away is one dose.
    return all(q in rest for i, q in enumerate(wanted) if i == 0 or q != wanted[i - 1])


_NEGATION = re.compile(
    r"\b(?:not|no|never|without|avoid(?:ed|ing|s)?|contraindicat(?:ed|ions?)|neither|nor|cannot|stop(?:ped|ping|s)?|"
    r"withhold|against|unless|except)\b|n['’]t\b",
    re.IGNORECASE,
)
#: Ways to say no that may stand for one another; how often they stand is counted, so they are not new words.
_DENIALS = (
    "not no never without avoid avoided avoiding avoids contraindicated contraindication contraindications cannot "
    "unless except"
)
#: "Contraindications: A; B" says no once for the whole list.
_WARNING_LIST = re.compile(r"contraindicat\w+\b", re.IGNORECASE)
_STATEMENT = re.compile(r"(?<=[.;!?])\s+")
_WORD = re.compile(r"[^\W\d_]+")
_NON = re.compile(r"\bnon-(?=\w)", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    "a an and any are as at be been being by can could do does for from had has have he her his if in into is it its "  # noqa: SIM905
    "may might of on or s should shall she that the their them then there these they this those to was were when where "
    "which who will with would also such than".split()
)


class _Statement(NamedTuple):
    """A part of a passage: its content words and how often it says no."""

    stems: set[str]
    negations: int


def _negations(text: str) -> int:
    return len(_NEGATION.findall(text))


def _stem(word: str) -> str:
    """The word cut to a crude stem, so that plural and tense do not count as new words."""
    word = word.casefold()
    for suffix in ("ing", "ed", "es", "s", "e"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


def _stems(text: str) -> set[str]:
    """Content words as stems. A capital alone ("hepatitis B", "Grade A") is kept as it stands.

    "Non-pregnant" is one word: it must not lend its second half to a sentence.
    """
    found = set()
    for match in _WORD.finditer(_NON.sub("non", text)):
        word = match.group()
        if len(word) == 1 and word.isupper() and match.start() > 0:
            found.add(word)
        elif word.casefold() not in _FUNCTION_WORDS:
            found.add(_stem(word))
    return found


_MAY_ADD = _stems(PLAIN_WORDS)
#: Words of quantities are compared as quantities, so they are not compared as words.
_QUANTITY_STEMS = frozenset(_stem(word) for word in QUANTITY_WORDS)
_DENIAL_STEMS = _stems(_DENIALS) | {"t", "don", "doesn", "isn", "aren"}


def _expected_negations(text: str, passages: Sequence[Passage]) -> int:
    """How many negations a faithful sentence holds: those of the statements it restates.

    A sentence restates every statement of which it uses a word that stands in no other one; without
    such a word, the one it shares most words with. A contraindication is a statement that says no by
    itself, so a sentence that takes words from nowhere but there says no once more.
    """
    wanted = _stems(text)
    statements: list[_Statement] = []
    warnings: list[_Statement] = []
    usual: set[str] = set()
    for passage in passages:
        main = passage.model_copy(update={"contraindications": ()}).citable_text
        statements += [_Statement(_stems(" " + part), _negations(part)) for part in _STATEMENT.split(main)]
        warnings += [
            _Statement(_stems(f"Contraindicated {item}"), 1 + _negations(item)) for item in passage.contraindications
        ]
        usual |= _stems(" ".join([" ", main, *passage.section, *passage.synonyms]))

    seen = Counter(stem for statement in statements for stem in statement.stems)
    once = {stem for stem in wanted & seen.keys() if seen[stem] == 1} - _MAY_ADD - _DENIAL_STEMS
    restated = [statement for statement in statements if statement.stems & once]

    def shared(statement: _Statement) -> int:
        return len(wanted & statement.stems)

    closest = max(statements, key=shared)
    warning = max(warnings, key=shared, default=_Statement(set(), 0))
    expected = sum(s.negations for s in restated) if restated else closest.negations
    if shared(warning) > shared(closest):
        return warning.negations
    only_warned = set[str]().union(*(item.stems for item in warnings)) - usual - _DENIAL_STEMS
    return expected + 1 if wanted & only_warned else expected


_CONDITION = re.compile(r"\b(?:if|unless|when|while|until|provided|only|except|where)\b", re.IGNORECASE)


def _dropped_condition(text: str, passages: Sequence[Passage]) -> str | None:
    """The condition word the sentence lost of the statement it restates most, or None.

    "If eGFR is above 45, give A" must not become "Give A": a sentence can be faithful word by word
    and still harm without its condition.
    """
    wanted = _stems(text)
    statements = [part for passage in passages for part in _STATEMENT.split(passage.text)]
    # A list of contraindications restates that list and none of the statements, whose conditions are not its own.
    statements += [f"Contraindications: {'; '.join(p.contraindications)}" for p in passages if p.contraindications]
    closest = max(statements, key=lambda part: len(wanted & _stems(" " + part)))
    lost = Counter(word.casefold() for word in _CONDITION.findall(closest))
    lost -= Counter(word.casefold() for word in _CONDITION.findall(text))
    return next(iter(lost), None)


def _support(text: str, cited: Sequence[Evidence]) -> tuple[float, list[str]]:
    """Share of the sentence's content words found in the cited passages, their titles and headings.

    Also the words that are neither found there nor plain.
    """
    wanted = _stems(text) - _QUANTITY_STEMS
    if not wanted:
        return 1.0, []
    held = set(_DENIAL_STEMS)
    for evidence in cited:
        passage, document = evidence.hit.passage, evidence.hit.document
        held |= _stems(" ".join([" ", passage.citable_text, *passage.section, *passage.synonyms, document.title]))
    new = wanted - held
    return 1 - len(new) / len(wanted), sorted(new - _MAY_ADD)
