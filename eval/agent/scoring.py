"""From one episode and its question to the measures: pure, so recorded runs can be scored again at any time.

Definitions follow HiPRAG and Search Wisely for searches beyond need (made after all gold was retrieved) and
answers without the gold (stopped too early). What is not known of a question leaves it out of a measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agent import Answer, AnswerKind, Rollout, StopReason
from agent.gate import Verdict, WithheldReason
from eval.agent.copying import covered, is_copied
from eval.agent.episodes import Episode
from eval.agent.questions import ANSWERED_KINDS, AgentQuestion
from retrieval import PassageId
from training.judging import enough, last_action, wrong_end
from training.questions import QuestionKind

_ABSTAINED = frozenset({StopReason.NO_EVIDENCE, StopReason.DECLINED})
#: The sentence named no passage of this run, so there is nothing that could support it.
_NO_SOURCE = frozenset({WithheldReason.NO_CITATION, WithheldReason.UNKNOWN_KEY})
_LOST = frozenset({StopReason.MODEL_FAILED, StopReason.BUDGET_EXHAUSTED})


class Tally(NamedTuple):
    """A numerator and its denominator; absent where a measure does not apply, so a denominator is above 0."""

    over: float
    of: float


Scores = Mapping[str, Tally]


def score(episode: Episode, question: AgentQuestion) -> Scores:
    """Every measure that applies, by name."""
    tallies = dict(_all(episode, question))
    return {name: tally for name, tally in tallies.items() if tally.of > 0}


def succeeded(episode: Episode, question: AgentQuestion) -> bool:
    """A question with gold was answered, its gold cited and nothing withheld."""
    return _gold_cited(episode[-1], question) and not any(not verdict.shown for verdict in _verdicts(episode))


def graded(episode: Episode, question: AgentQuestion) -> float:
    """The share of sentences that the gate let through where the gold is cited, else 0."""
    if not _gold_cited(episode[-1], question):
        return 0.0
    verdicts = _verdicts(episode)
    return sum(verdict.shown for verdict in verdicts) / len(verdicts) if verdicts else 0.0


def _all(episode: Episode, question: AgentQuestion) -> Iterator[tuple[str, Tally]]:
    yield from _decisions(episode, question)
    yield from _gold(episode, question)
    yield from _sentences(episode)
    yield from _restraint(episode, question)
    yield from _searches(episode, question)
    lost = [run.outcome.stop_reason in _LOST or run.outcome.status != "completed" for run in episode]
    yield "failed", Tally(sum(lost), len(lost))
    tokens = [count for run in episode if (count := _tokens(run)) is not None]
    yield "tokens", Tally(sum(tokens), len(tokens))
    if question.must_have is not None:
        yield "must_have", Tally(covered(question.must_have, _shown(episode[-1].answer)), len(question.must_have))


def _decisions(episode: Episode, question: AgentQuestion) -> Iterator[tuple[str, Tally]]:
    decisions = [step for run in episode for step in run.steps if step.kind == "decide"]
    yield "valid_actions", Tally(sum(step.action is not None for step in decisions), len(decisions))
    right = _right_action(episode, question)
    if right is not None:
        yield "right_action", Tally(right, 1)


def _right_action(episode: Episode, question: AgentQuestion) -> bool | None:
    if question.made is not None:
        # An underspecified question is to be asked back at first; what follows is judged by its gold.
        return wrong_end(episode[0], question.made) is None
    if question.answerable is None:
        return None
    last = episode[-1]
    if question.answerable:
        return last.outcome.stop_reason is StopReason.ANSWERED and _written(last)
    return last.outcome.stop_reason in _ABSTAINED


def _gold(episode: Episode, question: AgentQuestion) -> Iterator[tuple[str, Tally]]:
    if question.gold is None:
        return
    yield "gold_retrieved", Tally(enough(_retrieved(episode), question.gold, question.kind), 1)
    # A wish to reword has the gold of the answer before it, and needs none cited anew.
    if question.answerable is not False and question.kind is not QuestionKind.NO_SEARCH:
        last = episode[-1]
        yield "gold_cited", Tally(_gold_cited(last, question), 1)
        yield "gold_shown", Tally(enough(_cited(last.answer), question.gold, question.kind), 1)


def _gold_cited(last: Rollout, question: AgentQuestion) -> bool:
    answered = last.outcome.stop_reason is StopReason.ANSWERED and _written(last)
    return answered and enough(_used(last.answer), question.gold or (), question.kind)


def _sentences(episode: Episode) -> Iterator[tuple[str, Tally]]:
    verdicts = _verdicts(episode)
    sourced = [verdict for verdict in verdicts if verdict.reason not in _NO_SOURCE]
    yield "unsupported", Tally(sum(not verdict.shown for verdict in sourced), len(sourced))
    yield "withheld", Tally(sum(not verdict.shown for verdict in verdicts), len(verdicts))
    for reason in WithheldReason:
        yield f"withheld:{reason}", Tally(sum(verdict.reason is reason for verdict in verdicts), len(verdicts))
    copied = shown = 0
    for run in episode:
        if run.answer is not None:
            numbered = {citation.number: citation for citation in run.answer.citations}
            for sentence in run.answer.sentences:
                shown += 1
                copied += is_copied(sentence.text, [numbered[n] for n in sentence.citations if n in numbered])
    yield "verbatim", Tally(copied, shown)
    written = [run for run in episode if _written(run) and run.outcome.stop_reason is StopReason.ANSWERED]
    yield "citations", Tally(sum(len(_used(run.answer)) for run in written), len(written))


def _restraint(episode: Episode, question: AgentQuestion) -> Iterator[tuple[str, Tally]]:
    """Declining and asking back."""
    abstained = episode[-1].outcome.stop_reason in _ABSTAINED
    if question.answerable is not None:
        yield ("abstained_wrong" if question.answerable else "abstained_right"), Tally(abstained, 1)
    if question.made is None:
        return
    asked = [
        last_action(run).get("missing") for run in episode if run.outcome.stop_reason is StopReason.NEEDS_CLARIFICATION
    ]
    if question.made.kind is QuestionKind.UNDERSPECIFIED:
        yield "clarified_right", Tally(asked[:1] == [question.made.missing], 1)
        yield "clarified_wrong", Tally(asked not in ([], [question.made.missing]), 1)
    else:
        yield "clarified_wrong", Tally(bool(asked), 1)


def _searches(episode: Episode, question: AgentQuestion) -> Iterator[tuple[str, Tally]]:
    made = sum(run.outcome.searches for run in episode)
    answered = episode[-1].outcome.stop_reason is StopReason.ANSWERED
    if answered:
        yield "searches", Tally(made, 1)
    if question.kind is QuestionKind.NO_SEARCH:
        yield "over_search", Tally(made, made)
        yield "searched_needlessly", Tally(made > 0, 1)
    elif episode[-1].outcome.stop_reason is not StopReason.NEEDS_CLARIFICATION and (
        question.kind in ANSWERED_KINDS or question.answerable is not None
    ):
        yield "not_searched", Tally(made == 0, 1)
    if question.gold is not None:
        done = _searches_until_enough(episode, question)
        entries = sum(len(run.retrieval) for run in episode)
        yield "over_search", Tally(0 if done is None else entries - done, entries)
        yield "under_search", Tally(answered and done is None, 1)


def _searches_until_enough(episode: Episode, question: AgentQuestion) -> int | None:
    """How many searches it took until all the gold had been retrieved; None where it never was."""
    found: set[PassageId] = set()
    entries = [entry for run in episode for entry in run.retrieval]
    for number, entry in enumerate(entries, start=1):
        found |= {PassageId(hit.passage_id) for hit in entry.hits}
        if enough(found, question.gold or (), question.kind):
            return number
    return None


def _verdicts(episode: Episode) -> list[Verdict]:
    return [verdict for run in episode for verdict in run.verdicts]


def _retrieved(episode: Episode) -> set[PassageId]:
    return {PassageId(hit.passage_id) for run in episode for entry in run.retrieval for hit in entry.hits}


def _written(run: Rollout) -> bool:
    return run.answer is not None and run.answer.kind is AnswerKind.WRITTEN


def _cited(answer: Answer | None) -> set[PassageId]:
    return {citation.passage_id for citation in answer.citations} if answer is not None else set()


def _used(answer: Answer | None) -> set[PassageId]:
    """What the sentences of an answer rest on."""
    return {citation.passage_id for citation in answer.used} if answer is not None else set()


def _shown(answer: Answer | None) -> str:
    """The words of an answer; of a list of recommendations the recommendations themselves."""
    if answer is None:
        return ""
    if answer.kind is AnswerKind.RECOMMENDATIONS:
        return "\n".join(citation.text for citation in answer.citations)
    return "\n".join(sentence.text for sentence in answer.sentences)


def _tokens(run: Rollout) -> int | None:
    counts = [
        step.usage.prompt_tokens + step.usage.completion_tokens
        for step in run.steps
        if step.usage.prompt_tokens is not None and step.usage.completion_tokens is not None
    ]
    return sum(counts) if counts and len(counts) == len(run.steps) else None
