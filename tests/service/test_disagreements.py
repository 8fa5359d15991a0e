"""Disagreements in every rendering. If these fail, somebody reads one publisher's word as the only one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from agent import Answer, AnswerKind, Citation, RunSummary, Sentence, StopReason
from agent.disagreements import Difference, DifferenceKind, Disagreement
from retrieval import DocumentId, PassageId, PassageKind
from service.chat.text import AnswerText, without_lists
from service.cli.rendering import print_answer
from service.mcp.results import AskResult

FIVE, SEVEN = "Give examplicillin for 5 days.", "Give examplicillin for 7 days; see <b>table</b>."


def citation(number: int, text: str, publisher: str, year: int) -> Citation:
    return Citation(
        number=number,
        passage_id=PassageId(f"made/{number}"),
        document_id=DocumentId("made"),
        kind=PassageKind.RECOMMENDATION,
        condition=None,
        text=text,
        strength="Strong",
        certainty=None,
        population=None,
        contraindications=(),
        title="Example fever",
        publisher=publisher,
        year=year,
        region="GB",
        url=None,
        notice=None,
    )


ANSWER = Answer(
    kind=AnswerKind.WRITTEN,
    sentences=(Sentence(text=FIVE, citations=(1,)),),
    citations=(citation(1, FIVE, "College of Examples", 2019), citation(2, SEVEN, "Institute of Cases", 2022)),
    disagreements=(
        Disagreement(
            first=1,
            second=2,
            differences=(Difference(kind=DifferenceKind.DURATION, first=FIVE, second=SEVEN),),
        ),
    ),
)
SUMMARY = RunSummary(
    rollout_id="01J00000000000000000000000",
    stop_reason=StopReason.ANSWERED,
    answer=ANSWER,
    steps=(),
    model="scripted",
    index_version="1",
    duration_ms=1.0,
)


def test_a_chat_reply_has_both_sides_with_marks_before_its_lists() -> None:
    writer = AnswerText()
    text = writer.rest(ANSWER)
    body = text[: text.index("Also found:")]
    assert "Recommendations differ:\n\nOn how long:\n[1] College of Examples, 2019, GB, Strong: " + FIVE in body
    assert f"[2] Institute of Cases, 2022, GB, Strong: {SEVEN}" in body
    for mark in writer.marks:
        assert text[mark.start : mark.end] == f"[{mark.number}]"
    # What is quoted beside an answer is not what was answered.
    assert "7 days" not in without_lists(text)


def test_the_terminal_has_both_sides() -> None:
    told = io.StringIO()
    print_answer(Console(file=told, width=200), SUMMARY)
    assert "Recommendations differ on how long:" in told.getvalue()
    assert f"[2] Institute of Cases, 2022, GB, Strong: {SEVEN}" in told.getvalue()


def test_a_client_of_the_tools_has_both_sides() -> None:
    (disagreement,) = AskResult.of(SUMMARY).disagreements
    assert (disagreement.first, disagreement.second, disagreement.differences[0].second) == (1, 2, SEVEN)


@pytest.mark.parametrize("gone", [1, 2])
def test_where_one_side_was_withdrawn_there_is_no_conflict_left(gone: int) -> None:
    assert ANSWER.without({gone}, "Withdrawn.").disagreements == ()
