"""Records of both kinds, and answers to put into them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import Answer, AnswerKind, Citation, ManualClock, RolloutId, RunSummary, Sentence, StopReason
from retrieval import DocumentId, PassageId, PassageKind
from service.records import MemoryRecords, OwnerId, Records, open_records
from service.records.engine import make_engine
from service.records.tables import Base

ME, OTHER = OwnerId("a" * 64), OwnerId("b" * 64)
#: Conversations that one person may have in these tests.
MOST = 20


def citation(number: int, text: str = "Give adults with example fever examplicillin 250 mg.") -> Citation:
    """An invented source."""
    return Citation(
        number=number,
        passage_id=PassageId(f"test/fever/{number}"),
        document_id=DocumentId("test/fever"),
        kind=PassageKind.RECOMMENDATION,
        condition="Example fever",
        text=text,
        strength="Strong",
        certainty=None,
        population="Adults",
        contraindications=("Allergy to examplicillin",),
        title="Guideline on example fever",
        publisher="Test Society",
        year=2024,
        region="GB",
        url=None,
        notice=None,
    )


def answer(words: str = "Give examplicillin 250 mg.", citations: int = 2) -> Answer:
    """An answer of one sentence that rests on the first of its citations."""
    return Answer(
        kind=AnswerKind.WRITTEN,
        sentences=(Sentence(text=words, citations=(1,)),),
        citations=tuple(citation(number) for number in range(1, citations + 1)),
    )


def summary(rollout_id: RolloutId, words: str = "Give examplicillin 250 mg.", citations: int = 2) -> RunSummary:
    """A finished run."""
    return RunSummary(
        rollout_id=rollout_id,
        stop_reason=StopReason.ANSWERED,
        answer=answer(words, citations),
        steps=(),
        model="scripted",
        index_version="v",
        duration_ms=12.5,
    )


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves only when told to."""
    return ManualClock()


#: Another database to keep the contract on, as `CLINSEARCH_RECORDS_URL`; its tables are dropped.
ELSEWHERE = os.environ.get("CLINSEARCH_TEST_RECORDS_URL")


@pytest.fixture(params=["memory", "sql", *(["elsewhere"] if ELSEWHERE else [])])
def records(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Records]:
    """Each implementation in turn: what holds for one must hold for the other."""
    url = ELSEWHERE if request.param == "elsewhere" else None
    if url is not None:
        engine = make_engine(url, tmp_path)
        with engine.begin() as connection:
            Base.metadata.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        engine.dispose()
    kept: Records = (
        MemoryRecords(clock, max_conversations=MOST)
        if request.param == "memory"
        else open_records(url, tmp_path / "records.sqlite", clock, max_conversations=MOST)
    )
    yield kept
    kept.close()
