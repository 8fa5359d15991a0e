"""Which source a question is searched in where no trained model chooses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from retrieval import (
    DEFAULT_SOURCES,
    DescriptionRouter,
    FirstSource,
    HashingEncoder,
    PassageRouter,
    SearchRequest,
    Source,
    SourceId,
    UnknownSourceError,
    router_for,
)
from retrieval.encoders import Vectors
from retrieval.routing import MARGIN_ENCODER

from ..starter import starter_searcher

GUIDELINES, CODES = SourceId("guidelines"), SourceId("codes")
SOURCES = (
    Source(id=GUIDELINES, description="Treatment, doses and referral."),
    Source(id=CODES, description="Codes and what they mean."),
)


class Angles(HashingEncoder):
    """Encodes texts as directions in the plane, so that every cosine in a test is chosen."""

    name = MARGIN_ENCODER
    dimension = 2

    def __init__(self, degrees: dict[str, float]) -> None:
        self.degrees = degrees
        self.encoded: list[str] = []

    def encode_queries(self, texts: list[str]) -> Vectors:
        self.encoded += texts
        angles = np.radians([self.degrees[text] for text in texts])
        return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def router(question_at: float) -> DescriptionRouter:
    guidelines, codes = (source.description for source in SOURCES)
    return DescriptionRouter(Angles({guidelines: 0.0, codes: 90.0, "question": question_at}), margin=0.12)


@pytest.mark.parametrize(
    ("question_at", "chosen"),
    [(0.0, GUIDELINES), (45.0, GUIDELINES), (48.0, GUIDELINES), (52.0, CODES), (90.0, CODES)],
    ids=["guidelines", "between", "just-nearer-codes", "nearer-codes", "codes"],
)
def test_another_source_must_be_nearer_than_guidelines_by_a_margin(question_at: float, chosen: SourceId) -> None:
    assert router(question_at).choose("question", SOURCES) == chosen


def test_the_order_of_the_sources_does_not_matter() -> None:
    assert router(52.0).choose("question", SOURCES[::-1]) == CODES
    assert router(48.0).choose("question", SOURCES[::-1]) == GUIDELINES


def test_one_source_needs_no_comparison_and_descriptions_are_encoded_once() -> None:
    encoder = Angles({"question": 0.0, **{source.description: 0.0 for source in SOURCES}})
    chooser = DescriptionRouter(encoder)
    assert chooser.choose("question", SOURCES[1:]) == CODES
    assert encoder.encoded == []
    for _ in range(2):
        chooser.choose("question", SOURCES)
    assert encoder.encoded.count("question") == 2
    assert all(encoder.encoded.count(source.description) == 1 for source in SOURCES)


PATIENTS, REPORTS = SourceId("patient_information"), SourceId("public_health_reports")
ALL = tuple(Source(id=name, description=f"What is in {name}.") for name in (GUIDELINES, PATIENTS, REPORTS, CODES))


def nothing_near(question: str, sources: Sequence[SourceId]) -> dict[SourceId, float]:
    del question, sources
    return {}


class Chosen:
    """Describes nothing and always chooses the same."""

    def __init__(self, source: SourceId) -> None:
        self.source = source

    def choose(self, question: str, sources: Sequence[Source]) -> SourceId:
        del question, sources
        return self.source

    def near(self, question: str, sources: Sequence[Source]) -> tuple[SourceId, ...]:
        del question
        return tuple(source.id for source in sources)


def by_passages(described: SourceId, cosines: dict[SourceId, float], sources: Sequence[Source] = ALL) -> SourceId:
    def nearest(question: str, asked: Sequence[SourceId]) -> dict[SourceId, float]:
        assert question == "question"
        return {name: cosines[name] for name in asked if name in cosines}

    return PassageRouter(Chosen(described), nearest).choose("question", sources)


@pytest.mark.parametrize(("described", "margin"), [(GUIDELINES, 0.07), (PATIENTS, 0.03)])
def test_guidelines_or_information_for_patients_by_the_nearer_passage(described: SourceId, margin: float) -> None:
    """Otherwise one ward question in six is searched among leaflets, because a description sounded nearer."""
    assert by_passages(described, {GUIDELINES: 0.6, PATIENTS: 0.6 + margin - 0.01}) == GUIDELINES
    assert by_passages(described, {GUIDELINES: 0.6, PATIENTS: 0.6 + margin + 0.01}) == PATIENTS
    assert by_passages(described, {GUIDELINES: 0.6}) == GUIDELINES


def test_another_source_is_searched_unless_guidelines_are_clearly_nearer() -> None:
    assert by_passages(REPORTS, {GUIDELINES: 0.6, REPORTS: 0.56, PATIENTS: 0.9}) == REPORTS
    assert by_passages(REPORTS, {GUIDELINES: 0.6, REPORTS: 0.54, PATIENTS: 0.5}) == GUIDELINES
    assert by_passages(REPORTS, {GUIDELINES: 0.6, REPORTS: 0.54, PATIENTS: 0.7}) == PATIENTS
    assert by_passages(REPORTS, {GUIDELINES: 0.6}) == GUIDELINES


def test_codes_and_what_there_are_no_guidelines_for_stay_as_described() -> None:
    assert by_passages(CODES, {GUIDELINES: 0.9, CODES: 0.1}) == CODES
    assert by_passages(REPORTS, {PATIENTS: 0.9, REPORTS: 0.1}) == REPORTS
    assert by_passages(GUIDELINES, {}) == GUIDELINES
    assert by_passages(CODES, {}, ALL[3:]) == CODES


@pytest.mark.parametrize(
    ("ahead", "left_out"),
    [(-0.2, PATIENTS), (-0.06, PATIENTS), (-0.04, None), (0.0, None), (0.06, None), (0.08, GUIDELINES)],
)
def test_a_model_that_chooses_is_not_offered_leaflets_or_guidelines_that_are_clearly_farther(
    ahead: float, left_out: SourceId | None
) -> None:
    cosines = {GUIDELINES: 0.6, PATIENTS: 0.6 + ahead}
    near = PassageRouter(Chosen(CODES), lambda _, asked: {name: cosines[name] for name in asked}).near("question", ALL)
    assert near == tuple(source.id for source in ALL if source.id != left_out)


def test_without_one_of_the_two_everything_is_offered() -> None:
    assert PassageRouter(Chosen(CODES), nothing_near).near("question", ALL[1:]) == (PATIENTS, REPORTS, CODES)
    assert DescriptionRouter(Angles({})).near("question", ALL) == FirstSource().near("question", ALL)


def test_the_nearest_passage_of_each_source_is_found() -> None:
    searcher = starter_searcher()
    near = searcher.nearest("nitrofurantoin for a urinary tract infection", [GUIDELINES])
    (best,) = searcher.search(SearchRequest(queries=("nitrofurantoin for a urinary tract infection",), limit=1)).hits
    assert set(near) == {GUIDELINES}
    assert best.cosine is not None
    assert near[GUIDELINES] >= best.cosine - 1e-4
    with pytest.raises(UnknownSourceError):
        searcher.nearest("x", [CODES])


def test_an_encoder_the_margin_was_not_measured_with_gets_the_first_source() -> None:
    assert isinstance(router_for(HashingEncoder(), nothing_near), FirstSource)
    assert isinstance(router_for(Angles({}), nothing_near), PassageRouter)
    assert FirstSource().choose("ICD code?", DEFAULT_SOURCES) == GUIDELINES
