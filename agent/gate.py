"""The answer gate: what a sentence must pass before it may leave the service.

First cut, deterministic and linear in the text's length. A sentence is shown only when it carries
at least one key, every key is this run's, every quantity stands with the same unit and comparator
in one cited passage, it agrees with that passage on negation, and its words are the passage's own
to a stated share. Everything else is withheld with a reason: when in doubt, the clinician gets the
recommendation itself. The gate never edits a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from agent.evidence import Evidence, EvidenceBook
from agent.quantities import quantities
from agent.sentences import DraftSentence
from retrieval import Passage

#: Least share of a sentence's content words that the cited passages must contain. Set by judgement,
#: not fitted: one new content word in five is already a different claim in a short sentence.
MIN_SUPPORT = 0.8


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
        if _negated(sentence.text) != _negated(_closest_statement(sentence.text, passages)):
            return _withheld(sentence, WithheldReason.NEGATION_DIFFERS)
        support = _support(sentence.text, cited)
        if support < self._min_support:
            return _withheld(sentence, WithheldReason.WORDS_NOT_IN_PASSAGE, support=support)
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
    r"\b(?:not|no|never|without|avoid(?:ed|ing|s)?|contraindicated|neither|nor|cannot|stop"
    r"|withhold|don't|do not|against|unless|except)\b|n['’]t\b",
    re.IGNORECASE,
)
_STATEMENT = re.compile(r"(?<=[.;!?])\s+")
_WORD = re.compile(r"[^\W\d_]{2,}(?:[-'’][^\W\d_]+)*")
_FUNCTION_WORDS = frozenset(
    """
    a an and any are as at be been being by can could do does for from had has have he her his if in into is it
    its may might of on or should shall she that the their them then there these they this those to was were when
    where which who will with would also such than
    """.split()  # noqa: SIM905 - a list of one word a line would hide the rest of the module
)


def _negated(text: str) -> bool:
    return _NEGATION.search(text) is not None


def _stems(text: str) -> set[str]:
    """Content words cut to a crude common stem, so that plural and tense do not count as new words."""
    words = (word.casefold() for word in _WORD.findall(text))
    return {re.sub(r"(?:ing|ed|es|s|e)$", "", w) if len(w) > 4 else w for w in words if w not in _FUNCTION_WORDS}


def _closest_statement(text: str, passages: Sequence[Passage]) -> str:
    """The statement of the cited passages that shares most content words with the sentence."""
    wanted = _stems(text)
    statements = [s for passage in passages for s in _STATEMENT.split(passage.citable_text)]
    return max(statements, key=lambda s: len(wanted & _stems(s)), default="")


def _support(text: str, cited: Sequence[Evidence]) -> float:
    """Share of the sentence's content words found in the cited passages, their titles and headings."""
    wanted = _stems(text)
    if not wanted:
        return 1.0
    held: set[str] = set()
    for evidence in cited:
        passage = evidence.hit.passage
        held |= _stems(
            " ".join([passage.citable_text, *passage.section, *passage.synonyms, evidence.hit.document.title])
        )
    return len(wanted & held) / len(wanted)
