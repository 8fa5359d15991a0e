"""Arms of one evaluation: the same questions and the same model, with the answer read in three ways.

The answer as shown; the same recorded reply with every sentence the gate judged, as if there were no gate; and a reply
of the model alone, without search. Arms are what the gate and the search are worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent import AnswerKind, Rollout, StopReason
from eval.agent.episodes import Episode
from retrieval import PassageId

#: Ends the name of the directory with a model's replies without search.
WITHOUT_SEARCH = ".without-search"


class Arm(StrEnum):
    """How an answer came about and is read; the values are columns of the report."""

    SHOWN = "as shown"
    UNGATED = "without gate"
    UNSEARCHED = "without search"


class Ending(StrEnum):
    """What a clinician is left with; the columns of the abstention matrix."""

    #: At least one sentence of the model.
    ANSWERED = "answered"
    #: Retrieved recommendations, labelled, and none of the model's words.
    LISTED = "listed"
    ASKED = "asked back"
    DECLINED = "declined"
    #: Thanks, or what the service is.
    REPLIED = "replied"
    LOST = "failed"


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """One sentence, the passages its citations resolve to, and how many of its citations resolve to none."""

    text: str
    passages: tuple[PassageId, ...]
    unresolved: int = 0

    @property
    def citations(self) -> int:
        """How many passages it cites, resolved or not."""
        return len(self.passages) + self.unresolved


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """The end of one episode, read as one arm."""

    ending: Ending
    sentences: tuple[ReadSentence, ...]
    #: Whole recommendations shown in place of the model's words.
    listed: tuple[PassageId, ...]
    #: Whether something was asked back at first.
    asked: bool
    searches: int


_ENDINGS: Mapping[AnswerKind, Ending] = {
    AnswerKind.WRITTEN: Ending.ANSWERED,
    AnswerKind.RECOMMENDATIONS: Ending.LISTED,
    AnswerKind.CLARIFICATION: Ending.ASKED,
    AnswerKind.DECLINED: Ending.DECLINED,
    AnswerKind.REPLY: Ending.REPLIED,
}


def read_answer(episode: Episode, arm: Arm, earlier: frozenset[PassageId] = frozenset()) -> ReadAnswer:
    """The last run of an episode as one arm; `earlier` are passages that the conversation brought with it."""
    last = episode[-1]
    sentences = _shown(last, earlier) if arm is Arm.SHOWN else _written(last)
    ending = _ending(last)
    if sentences and ending in (Ending.LISTED, Ending.LOST):
        ending = Ending.ANSWERED  # the gate had held back every sentence
    cited = last.answer.citations if last.answer is not None and ending is Ending.LISTED else ()
    return ReadAnswer(
        ending=ending,
        sentences=sentences,
        listed=tuple(citation.passage_id for citation in cited),
        asked=episode[0].outcome.stop_reason is StopReason.NEEDS_CLARIFICATION,
        searches=sum(run.outcome.searches for run in episode),
    )


def _ending(run: Rollout) -> Ending:
    if run.answer is None or run.outcome.status != "completed":
        return Ending.LOST
    if run.answer.kind is AnswerKind.DECLINED and run.outcome.failures:
        return Ending.LOST  # nothing could be searched or decided: no wise restraint
    return _ENDINGS[run.answer.kind]


def _shown(run: Rollout, earlier: frozenset[PassageId]) -> tuple[ReadSentence, ...]:
    """Sentences that left the service; a citation resolves where this run, or the turn before, brought its passage."""
    if run.answer is None:
        return ()
    found = {PassageId(hit.passage_id) for entry in run.retrieval for hit in entry.hits} | earlier
    numbered = {item.number: item.passage_id for item in run.answer.citations if item.passage_id in found}
    read = []
    for sentence in run.answer.sentences:
        passages = tuple(numbered[number] for number in sentence.citations if number in numbered)
        read.append(ReadSentence(sentence.text, passages, len(sentence.citations) - len(passages)))
    return tuple(read)


def _written(run: Rollout) -> tuple[ReadSentence, ...]:
    """Sentences as the model wrote them, whatever the gate said; keys are resolved by this run's searches alone."""
    keys = {hit.key: PassageId(hit.passage_id) for entry in run.retrieval for hit in entry.hits}
    read = []
    for verdict in run.verdicts:
        passages = tuple(keys[key] for key in verdict.keys if key in keys)
        read.append(ReadSentence(verdict.text, passages, len(verdict.keys) - len(passages)))
    return tuple(read)
