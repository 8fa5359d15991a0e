"""From one read answer and its question to the measures: pure, so recorded runs can be scored again at any time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.gate import Verdict, WithheldReason
from eval.agent.episodes import Episode
from eval.agent.questions import AgentQuestion
from eval.agent.scoring import Scores, Tally
from eval.answers.arms import Arm, Ending, ReadAnswer, read_answer
from eval.answers.coverage import CoverageScorer
from eval.answers.number_check import Standing, check_numbers
from eval.answers.passages import Passages
from eval.answers.support import SupportJudge, cite_score
from eval.retrieval.errors import SetInvalidError
from retrieval import PassageId
from training.questions import QuestionKind


@dataclass(frozen=True, slots=True)
class Scorers:
    """What judges answers: words always, vectors where an encoder is at hand."""

    support: SupportJudge
    coverage: CoverageScorer
    near: CoverageScorer | None = None


def score(episode: Episode, arm: Arm, question: AgentQuestion, passages: Passages, scorers: Scorers) -> Scores:
    """Every measure that applies to one episode, by name.

    Raises:
        SetInvalidError: a passage that a sentence cites is not among those kept.
    """
    answer = read_answer(episode, arm, question.earlier)
    tallies = dict(_all(episode, arm, answer, question, passages, scorers))
    return {name: tally for name, tally in tallies.items() if tally.of > 0}


def _all(
    episode: Episode, arm: Arm, answer: ReadAnswer, question: AgentQuestion, passages: Passages, scorers: Scorers
) -> Iterator[tuple[str, Tally]]:
    yield from _sentences(answer, passages, scorers.support)
    yield from _gold(answer, question)
    if arm is Arm.SHOWN:
        yield from _withheld([verdict for run in episode for verdict in run.verdicts])
    if question.must_have is not None:
        said = [sentence.text for sentence in answer.sentences] or [_text(passages, name) for name in answer.listed]
        for name, scorer in (("must_have", scorers.coverage), ("must_have_near", scorers.near)):
            if scorer is not None:
                yield name, Tally(sum(scorer.covers(question.must_have, said)), len(question.must_have))
    yield from _endings(answer, question)
    if answer.sentences:
        yield "words", Tally(sum(len(sentence.text.split()) for sentence in answer.sentences), 1)
        yield "sentences", Tally(len(answer.sentences), 1)
        yield "searches", Tally(answer.searches, 1)


def _sentences(answer: ReadAnswer, passages: Passages, judge: SupportJudge) -> Iterator[tuple[str, Tally]]:
    numbers = [0, 0, 0]
    recalled = counted = citations = unresolved = 0
    for sentence in answer.sentences:
        cited = [_text(passages, name) for name in sentence.passages]
        for number in check_numbers(sentence.text, cited):
            numbers[0] += 1
            numbers[1] += number.standing is Standing.ALTERED
            numbers[2] += number.standing is Standing.MOVED
        scored = cite_score(judge, sentence.text, cited)
        recalled += scored.recalled
        counted += scored.counted
        citations += sentence.citations
        unresolved += sentence.unresolved
    total = len(answer.sentences)
    yield "keys_unresolved", Tally(unresolved, citations)
    yield "uncited", Tally(sum(not sentence.citations for sentence in answer.sentences), total)
    yield "numbers_altered", Tally(numbers[1], numbers[0])
    yield "numbers_moved", Tally(numbers[2], numbers[0])
    yield "supported", Tally(recalled, total)
    if total:
        # ALCE takes the mean over answers, and 0 for one that cites nothing.
        yield "citation_recall", Tally(recalled / total, 1)
        yield "citation_precision", Tally(counted / citations if citations else 0.0, 1)


def _gold(answer: ReadAnswer, question: AgentQuestion) -> Iterator[tuple[str, Tally]]:
    if question.gold is None or question.answerable is False or question.kind is QuestionKind.NO_SEARCH:
        return
    cited = {name for sentence in answer.sentences for name in sentence.passages}
    gold = set(question.gold)
    yield "gold_precision", Tally(len(cited & gold), len(cited))
    # One of several passages that say the same is all that is needed, but of a question that takes two.
    needed = len(gold) if question.kind is QuestionKind.MULTI_HOP else 1
    yield "gold_recall", Tally(min(needed, len(cited & gold)), needed)


def _withheld(verdicts: list[Verdict]) -> Iterator[tuple[str, Tally]]:
    yield "withheld", Tally(sum(not verdict.shown for verdict in verdicts), len(verdicts))
    for reason in WithheldReason:
        yield f"withheld:{reason}", Tally(sum(verdict.reason is reason for verdict in verdicts), len(verdicts))


def _endings(answer: ReadAnswer, question: AgentQuestion) -> Iterator[tuple[str, Tally]]:
    if question.answerable is True:
        yield "answered", Tally(answer.ending is Ending.ANSWERED, 1)
    elif question.answerable is False:
        yield "declined", Tally(answer.ending is Ending.DECLINED, 1)
    if question.needs_context is not None:
        yield ("asked" if question.needs_context else "asked_needlessly"), Tally(answer.asked, 1)


def _text(passages: Passages, passage_id: PassageId) -> str:
    passage = passages.get(passage_id)
    if passage is None:
        raise SetInvalidError(f"The passage {passage_id[:80]} is cited and its text was not kept.")
    return passage.whole
