"""Which source a question is searched in where no trained model chooses."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval import DEFAULT_SOURCES, DescriptionRouter, FirstSource, HashingEncoder, Source, SourceId, router_for
from retrieval.encoders import Vectors
from retrieval.routing import MARGIN_ENCODER

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


def test_an_encoder_the_margin_was_not_measured_with_gets_the_first_source() -> None:
    assert isinstance(router_for(HashingEncoder()), FirstSource)
    assert isinstance(router_for(Angles({})), DescriptionRouter)
    assert FirstSource().choose("ICD code?", DEFAULT_SOURCES) == GUIDELINES
