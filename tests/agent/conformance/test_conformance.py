"""No model can break the loop: a server process plays each misbehaviour over HTTP, and it ends as the table says."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import load_policy, wording
from agent.evidence import EvidenceBook
from agent.gate import AnswerGate
from agent.misbehaving import BEHAVIOURS, CallKind, Ending
from agent.misbehaving.decisions import DECISIONS
from agent.question import has_control_characters
from agent.sentences import DraftSentence
from retrieval import HybridSearcher, PassageId

from .conftest import LATE_CALL_S, SPARE_S, Played, PlayFunction

PLAYED = [
    pytest.param(name, kind, id=f"{name}-{kind}")
    for name, behaviour in BEHAVIOURS.items()
    for kind in behaviour.endings
]
#: Most that the process may grow in a run, kilobytes: the biggest replies have 256 MiB.
MOST_HELD_KB = 64 * 1024
#: Longest that reading a reply may keep other questions waiting, seconds of the processor's.
MOST_STALLED_S = 1.5
#: Everything a label may say.
LABELS = {
    None,
    *(value for name, value in vars(wording).items() if name.isupper() and isinstance(value, str)),
    *wording.BUDGET_LABELS.values(),
    *wording.CLARIFYING_QUESTIONS.values(),
    load_policy().wording["out-of-scope"],
    *wording.REPLIES.values(),
}


def forget_the_peak() -> int:
    """Let Linux count the process's peak of memory from now on; returns what it has, kilobytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Most memory that the process had at once since then, kilobytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def assert_verified(played: Played, searcher: HybridSearcher) -> None:
    """Invariant 1, checked anew: each shown sentence passes the gate on passages that this run retrieved."""
    book = EvidenceBook(played.rollout.rollout_id)
    for entry in played.rollout.retrieval:
        for found in entry.hits:
            hit = searcher.hit(PassageId(found.passage_id))
            assert hit is not None
            assert book.add(hit)[0].key == found.key
    answer = played.summary.answer
    cited = {citation.number: citation for citation in answer.citations}
    for sentence in answer.sentences:
        named = {cited[number].passage_id for number in sentence.citations}
        keys = [item.key for item in book.all() if item.hit.passage.id in named]
        assert len(keys) == len(named) > 0
        assert AnswerGate(book).check(DraftSentence(sentence.text, tuple(keys), sentence.text)).shown
    assert answer.label in LABELS, "what is not gated is not free text"


@pytest.mark.parametrize(("name", "kind"), PLAYED)
async def test_a_misbehaviour_ends_as_the_table_says(
    name: str, kind: CallKind, play: PlayFunction, searcher: HybridSearcher
) -> None:
    """If this fails, a broken or hostile model server crashes a run, holds it up, or speaks to a clinician."""
    behaviour = BEHAVIOURS[name]
    before = forget_the_peak()
    played = await play(behaviour, kind)
    held = peak() - before
    answer = played.summary.answer
    codes = tuple(failure.code for failure in played.summary.failures)
    assert Ending(played.summary.stop_reason, answer.kind, codes, bool(answer.sentences)) == behaviour.endings[kind]
    assert played.rollout.outcome.status == "completed"
    assert played.seconds < (LATE_CALL_S if behaviour.late else 0.0) + SPARE_S
    assert played.stalled < MOST_STALLED_S, "one server held up everybody's questions"
    assert held < MOST_HELD_KB, "the reply was kept in memory"
    assert not any("<|" in message.content for message in played.rollout.messages), "it spoke as another role"
    assert not any(has_control_characters(query) for entry in played.rollout.retrieval for query in entry.queries)
    assert_verified(played, searcher)


UNUSABLE = [row.name for row in DECISIONS if row.endings[CallKind.DECIDE].codes == ("model_nonsense",)]


@pytest.mark.parametrize("name", [name for name in UNUSABLE if name not in ("searches-for-ever", "searches-again")])
async def test_what_is_no_action_is_not_carried_out(name: str, play: PlayFunction) -> None:
    """A run that did it and then failed for another reason would end in the same way."""
    played = await play(BEHAVIOURS[name], CallKind.DECIDE)
    assert {step.action for step in played.rollout.steps} <= {None}
    assert [entry.step for entry in played.rollout.retrieval] == [None], "the service's own search alone"


def test_the_table_is_as_long_as_it_claims() -> None:
    assert len(BEHAVIOURS) >= 190
    assert len({behaviour.does for behaviour in BEHAVIOURS.values()}) == len(BEHAVIOURS), "two rows are one behaviour"
    assert all(behaviour.endings for behaviour in BEHAVIOURS.values())
