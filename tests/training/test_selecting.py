"""What is learned from: runs that did what the question needed, and nothing the gate held back."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agent import Rollout
from agent.actions import Missing, ReplyKind
from agent.rollout import Labels
from agent.scripted import ANSWER, cite_first, search
from retrieval import NOTHING_WITHDRAWN, Passage, Withdrawal, Withdrawn
from training.export import ExportReport, Refusal, standing
from training.judging import Fault, Limits, fault
from training.questions import QuestionKind
from training.selecting import Rules, select

from .conftest import ASKED, QUERY, MakeRollout, training_question

DECLINE = json.dumps({"action": "decline", "reason": "not_in_corpus"})
THANKS = json.dumps({"action": "reply", "kind": "thanks"})
ASK_AGE = json.dumps({"action": "ask_clinician", "missing": "age"})
LIE = "Give 900 mg of paracetamol."


def test_a_run_that_cites_the_gold_is_good(rollout: MakeRollout, gold: Passage) -> None:
    assert fault(rollout(search(QUERY), ANSWER, cite_first), training_question(gold=(gold.id,))) is None


def test_each_fault_is_named(rollout: MakeRollout, gold: Passage) -> None:
    answerable = training_question(gold=(gold.id,))
    good = rollout(search(QUERY), ANSWER, cite_first)
    other = training_question(gold=("another",))
    no_search = training_question(QuestionKind.NO_SEARCH, reply=ReplyKind.THANKS)
    asks = training_question(
        QuestionKind.UNDERSPECIFIED, gold=(gold.id,), missing=Missing.PREGNANCY, case={Missing.PREGNANCY: "No."}
    )
    cases = {
        Fault.NO_CONSENT: (rollout(search(QUERY), ANSWER, cite_first, consent=False), answerable),
        Fault.EVALUATION: (good.model_copy(update={"split": "eval"}), answerable),
        Fault.GOLD_NOT_CITED: (good, other),
        Fault.WRONG_END: (rollout(search(QUERY), DECLINE), answerable),
        Fault.WITHHELD: (rollout(search(QUERY), ANSWER, LIE), answerable),
        Fault.REPAIRED: (rollout("nonsense", search(QUERY), ANSWER, cite_first), answerable),
        Fault.WRONG_CLARIFICATION: (rollout(ASK_AGE), asks),
        Fault.NOT_PREFERRED: (good, None),
    }
    for expected, (run, question) in cases.items():
        assert fault(run, question) is expected
    assert fault(good, answerable, Limits(searches=0)) is Fault.TOO_MANY_SEARCHES
    assert fault(good, no_search) is Fault.WRONG_END
    assert fault(rollout(THANKS), no_search) is None


def test_real_use_is_learned_from_only_where_a_person_preferred_it(rollout: MakeRollout) -> None:
    run = rollout(search(QUERY), ANSWER, cite_first)

    def with_labels(**labels: object) -> Rollout:
        return run.model_copy(update={"labels": Labels.model_validate(labels)})

    assert fault(run, None) is Fault.NOT_PREFERRED
    assert fault(with_labels(thumbs="up"), None) is None
    assert fault(with_labels(votes={"win": 2, "loss": 1}), None) is None
    assert fault(with_labels(votes={"win": 1, "loss": 1}), None) is Fault.NOT_PREFERRED
    assert fault(with_labels(thumbs="down", votes={"win": 2}), None) is Fault.NOT_PREFERRED


def test_the_cheapest_good_run_of_a_question_is_kept_whatever_the_order(rollout: MakeRollout, gold: Passage) -> None:
    question = training_question(gold=(gold.id,))
    short = rollout(search(QUERY), ANSWER, cite_first, rep=0)
    long = rollout(search(QUERY), search("cystitis"), ANSWER, cite_first, rep=1)
    for order in ([short, long], [long, short]):
        chosen = select(order, {short.task_key: question})
        assert [run.rep for run in chosen.of(order)] == [0]
        assert chosen.surplus == 1
    assert len(select([short, long], {short.task_key: question}, Rules(per_question=2)).kept) == 2


def test_kinds_are_kept_in_the_shares_asked_for(rollout: MakeRollout, gold: Passage) -> None:
    runs, questions = [], {}
    for number in range(6):
        run = rollout(search(QUERY), ANSWER, cite_first, words=f"{ASKED} {number}")
        runs.append(run)
        questions[run.task_key] = training_question(gold=(gold.id,))
    for number in range(2):
        run = rollout(THANKS, words=f"Thank you {number}")
        runs.append(run)
        questions[run.task_key] = training_question(QuestionKind.NO_SEARCH, reply=ReplyKind.THANKS)
    chosen = select(runs, questions, Rules(shares={"answerable": 0.5, "no_search": 0.5}))
    assert chosen.kinds == {"answerable": 2, "no_search": 2}
    assert chosen.surplus == 4 - sum(chosen.faults.values())
    with pytest.raises(ValueError, match="add up to 1"):
        Rules(shares={"answerable": 0.5})


def withdrawn(**fields: object) -> Withdrawn:
    act = {"why": "The dose is wrong.", "who": "x", "at": datetime.now(UTC), **fields}
    return Withdrawn((Withdrawal.model_validate(act),))


def test_a_run_that_cites_withdrawn_guidance_is_not_learned_from(rollout: MakeRollout, gold: Passage) -> None:
    question, run = training_question(gold=(gold.id,)), rollout(search(QUERY), ANSWER, cite_first)
    assert run.answer is not None
    cited = {citation.passage_id for citation in run.answer.citations}
    seen = {hit.passage_id for entry in run.retrieval for hit in entry.hits}
    assert fault(run, question, withdrawn=withdrawn(kind="document", id=gold.document_id)) is Fault.WITHDRAWN
    assert fault(run, question, withdrawn=withdrawn(kind="passage", id=gold.id)) is Fault.WITHDRAWN
    # What was found and not cited is not learned.
    assert fault(run, question, withdrawn=withdrawn(kind="passage", id=sorted(seen - cited)[0])) is None
    chosen = select([run], {run.task_key: question}, withdrawn=withdrawn(kind="passage", id=gold.id))
    assert (chosen.kept, chosen.faults) == (frozenset(), {"withdrawn": 1})
    report = ExportReport()
    assert list(standing([run], withdrawn(kind="passage", id=gold.id), report)) == []
    assert report.refused == {Refusal.WITHDRAWN: 1}
    assert list(standing([run], NOTHING_WITHDRAWN, report)) == [run]


def test_a_run_that_comes_twice_is_kept_once(rollout: MakeRollout, gold: Passage) -> None:
    run = rollout(search(QUERY), ANSWER, cite_first)
    chosen = select([run, run], {run.task_key: training_question(gold=(gold.id,))}, Rules(per_question=2))
    assert (list(chosen.of([run, run])), chosen.surplus) == ([run], 1)


def test_runs_are_not_held_while_they_are_judged(rollout: MakeRollout, gold: Passage) -> None:
    made = rollout(search(QUERY), ANSWER, cite_first)
    alive: list[weakref.ref[Rollout]] = []
    most = 0

    def read() -> Iterator[Rollout]:
        nonlocal most
        for number in range(20):
            run = made.model_copy(update={"rollout_id": f"r{number}", "rep": number}, deep=True)
            alive.append(weakref.ref(run))
            yield run
            most = max(most, sum(ref() is not None for ref in alive))

    chosen = select(read(), {made.task_key: training_question(gold=(gold.id,))}, Rules(per_question=20))
    assert len(chosen.kept) == 20
    assert most <= 2
