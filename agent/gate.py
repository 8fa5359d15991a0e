"""The answer gate: what a sentence must pass before it may leave the service.

First cut, deterministic and linear in the text's length. A sentence is shown only when it carries
at least one key, every key is this run's, every quantity stands with the same unit and comparator
in one cited passage, it holds as many negations as the statement it restates, and its words are the
passage's own, a few plain words apart. Everything else is withheld with a reason: when in doubt, the
clinician gets the recommendation itself. The gate never edits a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from agent.evidence import Evidence, EvidenceBook
from agent.quantities import QUANTITY_WORDS, quantities
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
        if _negations(sentence.text) != _expected_negations(sentence.text, passages):
            return _withheld(sentence, WithheldReason.NEGATION_DIFFERS)
        support, invented = _support(sentence.text, cited)
        if invented or support < self._min_support:
            return _withheld(sentence, WithheldReason.WORDS_NOT_IN_PASSAGE, " ".join(invented) or None, support)
        return Verdict(text=sentence.text, keys=sentence.keys, shown=True, support=support)


def _withheld(
    sentence: DraftSentence, reason: WithheldReason, detail: str | None = None, support: float | None = None
) -> Verdict:
    return Verdict(text=sentence.text, keys=sentence.keys, shown=False, reason=reason, detail=detail, support=support)


def _unmatched_quantities(text: str, passages: Sequence[Passage]) -> str | None:
    """What the best single passage lacks, or None when one passage holds every quantity."""
    wanted = set(quantities(text))
    lacking = [wanted - set(quantities(passage.citable_text)) for passage in passages]
    best = min(lacking, key=len)
    return "; ".join(sorted(" ".join(part for part in (q.comparator, q.number, q.unit) if part) for q in best)) or None


_NEGATION = re.compile(
    r"\b(?:not|no|never|without|avoid(?:ed|ing|s)?|contraindicat(?:ed|ions?)|neither|nor|cannot|stop(?:ped|ping|s)?|"
    r"withhold|against|unless|except)\b|n['’]t\b",
    re.IGNORECASE,
)
#: Ways to say no that may stand for one another; how often they stand is counted, so they are not new words.
_DENIALS = "not no never without avoid avoided avoiding avoids contraindicated contraindication contraindications cannot unless except"
_STATEMENT = re.compile(r"(?<=[.;!?])\s+")
_WORD = re.compile(r"[^\W\d_]+")
_NON = re.compile(r"\bnon-(?=\w)", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    "a an and any are as at be been being by can could do does for from had has have he her his if in into is it its "  # noqa: SIM905
    "may might of on or s should shall she that the their them then there these they this those to was were when where "
    "which who will with would also such than".split()
)


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
    """How many negations a faithful sentence holds: those of the statement it restates.

    A contraindication is a statement that says no by itself. So a sentence that takes words from
    nowhere but the contraindications says no once more than the statement it adds them to.
    """
    wanted = _stems(text)
    statements: list[tuple[str, int]] = []
    warnings: list[tuple[str, int]] = []
    usual: set[str] = set()
    for passage in passages:
        main = passage.model_copy(update={"contraindications": ()}).citable_text
        statements += [(statement, _negations(statement)) for statement in _STATEMENT.split(main)]
        warnings += [(f"Contraindicated: {item}", 1 + _negations(item)) for item in passage.contraindications]
        usual |= _stems(" ".join([main, *passage.section, *passage.synonyms]))

    def shared(statement: tuple[str, int]) -> int:
        return len(wanted & _stems(statement[0]))

    closest = max(statements, key=shared, default=("", 0))
    warning = max(warnings, key=shared, default=("", 0))
    only_warned = set().union(*(_stems(item) for item, _ in warnings)) - usual - _DENIAL_STEMS
    if not wanted & only_warned:
        return closest[1]
    return warning[1] if shared(warning) > shared(closest) else closest[1] + 1


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
