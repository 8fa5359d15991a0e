"""Recorded runs of several models become one report, and no text of a question or an answer is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent import Journal, Rollout
from agent.scripted import ANSWER, search
from eval.agent import AgentReport, evaluate_runs, found_models, page, plot, table
from eval.agent.measures import MEASURES
from eval.retrieval import SetInvalidError, SetMissingError
from retrieval import Passage

from .conftest import ASKED, DECLINE, GOOD, LIE, QUERY, MakeRun, made_row, write_rows

WORDS = [f"{ASKED} Case {i}." for i in range(4)]


@pytest.fixture
def runs(tmp_path: Path, gold: Passage) -> Callable[[str, list[Rollout]], None]:
    """Writes runs of a model beside four questions, the last of them real and unanswerable."""
    rows = [made_row("answerable", str(i), words, gold=[gold.id], real=False) for i, words in enumerate(WORDS[:3])]
    rows.append(made_row("unanswerable", "3", WORDS[3], real=True))
    write_rows(tmp_path / "questions.jsonl", rows)

    def write(name: str, made: list[Rollout]) -> None:
        with Journal(tmp_path / name) as journal:
            for rollout in made:
                journal.append(rollout)

    return write


def value(report: AgentReport, measure: str, place: int, group: str = "all") -> float | None:
    figures = next(item for item in report.groups if item.name == group).figures
    estimate = figures[measure][place].estimate
    return None if estimate is None else estimate.mean


def test_models_are_compared_on_the_questions_that_all_of_them_answered(
    runs: Callable[[str, list[Rollout]], None], run: MakeRun, tmp_path: Path
) -> None:
    runs("base", [run(search(QUERY), ANSWER, LIE, words=words) for words in WORDS])
    runs("sft", [*(run(*GOOD, words=words) for words in WORDS[:2]), run(search(QUERY), DECLINE, words=WORDS[3])])
    report = evaluate_runs(tmp_path, ["base", "sft"])
    assert (report.questions, report.unfinished) == (3, 1)
    assert (value(report, "gold_cited", 0), value(report, "gold_cited", 1)) == (0.0, 1.0)
    assert (value(report, "withheld", 0), value(report, "withheld", 1)) == (1.0, 0.0)
    assert [group.name for group in report.groups] == ["all", "real", "built", "kind answerable", "kind unanswerable"]
    assert value(report, "abstained_right", 1, "real") == 1.0
    assert value(report, "gold_cited", 1, "real") is None
    assert report.models[0].failures == {"nothing_verified": 4}
    assert report.not_known == {"must_have": 3, "gold": 1}
    assert report.reliability is None
    assert report.tallies["0"]["sft"]["gold_cited"] == (1.0, 1.0)
    assert AgentReport.model_validate_json(report.model_dump_json()) == report
    assert found_models(tmp_path) == ("base", "sft")


def test_the_same_runs_give_the_same_report_whatever_the_order_of_models(
    runs: Callable[[str, list[Rollout]], None], run: MakeRun, tmp_path: Path
) -> None:
    runs("a", [run(*GOOD, words=words) for words in WORDS])
    runs("b", [run(search(QUERY), DECLINE, words=words) for words in WORDS])
    there, back = evaluate_runs(tmp_path, ["a", "b"]), evaluate_runs(tmp_path, ["b", "a"])
    assert value(there, "gold_cited", 1) == value(back, "gold_cited", 0)
    first, second = there.groups[0].figures["gold_cited"][1], back.groups[0].figures["gold_cited"][1]
    assert first.minus_first is not None
    assert second.minus_first is not None
    assert first.minus_first.mean == -second.minus_first.mean


def test_the_table_and_the_page_hold_every_measure_that_occurred_and_no_text(
    runs: Callable[[str, list[Rollout]], None], run: MakeRun, gold: Passage, tmp_path: Path
) -> None:
    for name in ("base", "sft", "dpo"):
        runs(name, [run(*GOOD, words=words, rep=rep) for words in WORDS for rep in range(2)])
    report = evaluate_runs(tmp_path, ["base", "sft", "dpo"])
    for text in (table(report), page(report), report.model_dump_json()):
        assert ASKED not in text
        assert gold.text[:40] not in text
    shown = table(report)
    occurred = [
        measure.label
        for measure in MEASURES
        if ":" not in measure.name and any(figure.estimate for figure in report.groups[0].figures[measure.name])
    ]
    assert all(label in shown and label.strip() in page(report) for label in occurred)
    assert "words not in passage" not in shown, "no sentence was withheld"
    assert "minus base" in shown
    assert "minus the one before" in shown
    assert "worst at 2" in shown
    assert report.reliability is not None
    assert (report.reliability.problems, report.reliability.repetitions) == (3, 2)
    assert report.reliability.success[1].kept == 1.0


def test_models_run_on_different_indexes_are_said_not_to_be_comparable(
    runs: Callable[[str, list[Rollout]], None], run: MakeRun, tmp_path: Path
) -> None:
    made = [run(*GOOD, words=words) for words in WORDS]
    runs("base", made)
    assert "NOT COMPARABLE" not in table(evaluate_runs(tmp_path, ["base"]))
    elsewhere = [
        rollout.model_copy(update={"provenance": rollout.provenance.model_copy(update={"index_version": "another"})})
        for rollout in made
    ]
    runs("sft", elsewhere)
    assert "NOT COMPARABLE" in table(evaluate_runs(tmp_path, ["base", "sft"]))


def test_a_question_with_an_answer_missing_is_not_on_the_curve(
    runs: Callable[[str, list[Rollout]], None], run: MakeRun, tmp_path: Path
) -> None:
    made = [run(*GOOD, words=words, rep=rep) for words in WORDS for rep in range(2)]
    runs("base", made)
    runs("sft", made[1:])
    report = evaluate_runs(tmp_path, ["base", "sft"])
    assert report.reliability is not None
    assert (report.reliability.problems, report.reliability.left_out) == (2, 1)


def test_the_picture_is_written(runs: Callable[[str, list[Rollout]], None], run: MakeRun, tmp_path: Path) -> None:
    runs("base", [run(*GOOD, words=words, rep=rep) for words in WORDS for rep in range(2)])
    plot(evaluate_runs(tmp_path, ["base"]), tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")


def test_without_runs_there_is_one_sentence(
    runs: Callable[[str, list[Rollout]], None], run: MakeRun, tmp_path: Path
) -> None:
    with pytest.raises(SetMissingError, match="no runs of sft"):
        evaluate_runs(tmp_path, ["sft"])
    runs("a", [run(*GOOD, words=WORDS[0])])
    runs("b", [run(*GOOD, words=WORDS[1])])
    with pytest.raises(SetInvalidError, match="No question was answered by every model"):
        evaluate_runs(tmp_path, ["a", "b"])
