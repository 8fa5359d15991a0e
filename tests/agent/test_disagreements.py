"""Recommendations that disagree. If these fail, a clinician reads one side of a disagreement as the only one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import AgentSettings
from agent.disagreements import DifferenceKind, differences_between, disagreements_of
from agent.scripted import ANSWER, cite_first, search
from eval.disagreements import DisagreementPair, Side, disagreement_pairs
from retrieval import (
    CorpusEntry,
    Document,
    DocumentId,
    GuidanceStatus,
    HybridSearcher,
    Passage,
    PassageId,
    PassageKind,
    SourceId,
    memory_searcher,
)

from .conftest import AskFunction

PAIRS = disagreement_pairs()
QUESTION = "Nitrofurantoin given to a woman with lower urinary tract infection: for how long?"


@pytest.mark.parametrize("pair", disagreement_pairs("seen"), ids=lambda pair: pair.id)
def test_pairs_the_rules_were_written_with(pair: DisagreementPair) -> None:
    assert pair.is_right(), pair.found()


def test_of_the_pairs_kept_aside_none_is_flagged_wrongly_and_four_are_missed() -> None:
    wrong = [pair for pair in disagreement_pairs("kept") if not pair.is_right()]
    assert [pair.id for pair in wrong if pair.kind == "none"] == []
    assert len(wrong) <= 4


@given(st.sampled_from(PAIRS))
def test_whoever_comes_first_the_same_is_found(pair: DisagreementPair) -> None:
    there = differences_between(pair.first.hit(1), pair.second.hit(2))
    back = differences_between(pair.second.hit(1), pair.first.hit(2))
    assert {one.kind for one in there} == {one.kind for one in back}


@given(st.sampled_from(PAIRS))
def test_what_is_said_of_a_disagreement_stands_in_the_recommendations_word_for_word(pair: DisagreementPair) -> None:
    for one in differences_between(pair.first.hit(1), pair.second.hit(2)):
        assert one.first in pair.first.text
        assert one.second in pair.second.text


@given(st.sampled_from(PAIRS))
def test_no_recommendation_disagrees_with_itself_under_another_name(pair: DisagreementPair) -> None:
    other = pair.first.model_copy(update={"publisher": "Another body"})
    assert differences_between(pair.first.hit(1), other.hit(2)) == ()


def test_one_publisher_does_not_disagree_with_itself_and_superseded_guidance_with_nobody() -> None:
    pair = next(pair for pair in PAIRS if pair.kind == "duration" and pair.part == "seen")
    first, second = pair.first.hit(1), pair.second.hit(2)
    assert differences_between(first, second)
    assert not differences_between(first, pair.second.model_copy(update={"publisher": pair.first.publisher}).hit(2))
    assert not differences_between(first, second.model_copy(update={"status": GuidanceStatus.SUPERSEDED}))
    assert not differences_between(
        first, second.model_copy(update={"passage": second.passage.model_copy(update={"kind": PassageKind.NARRATIVE})})
    )


def test_few_disagreements_are_said_of_one_answer() -> None:
    sides = [
        Side(
            title="Pneumonia in adults",
            text=f"Give amoxicillin for {days} days to adults with pneumonia.",
            publisher=f"Body {days}",
        )
        for days in (3, 5, 7, 10, 14)
    ]
    assert len(disagreements_of([(number, side.hit(number)) for number, side in enumerate(sides, 1)])) == 3


def _entry(name: str, publisher: str, *texts: str) -> CorpusEntry:
    document = Document(
        id=DocumentId(name),
        source=SourceId("guidelines"),
        title="Lower urinary tract infection in women",
        publisher=publisher,
        region="INT",
        published="2020",
    )
    return CorpusEntry(
        document=document,
        passages=tuple(
            Passage(
                id=PassageId(f"{name}/{number}"),
                document_id=document.id,
                kind=PassageKind.RECOMMENDATION,
                section=("Lower urinary tract infection",),
                text=text,
                strength="Strong",
            )
            for number, text in enumerate(texts, 1)
        ),
    )


#: The five days of Body B stand behind five recommendations of Body A in every search for it.
FILLERS = tuple(
    f"A woman with lower urinary tract infection and nitrofurantoin: {word} counts."
    for word in ("alpha", "beta", "gamma", "delta")
)
THREE = "Nitrofurantoin is given for 3 days, that long, to a woman with lower urinary tract infection."
FIVE = (
    "Women with cystitis, that is lower urinary tract infection, need nitrofurantoin for 5 days, with fluids, rest, "
    "review and a culture."
)


@pytest.fixture(scope="module")
def two_bodies() -> HybridSearcher:
    return memory_searcher((_entry("a", "Body A", THREE, *FILLERS), _entry("b", "Body B", FIVE)))


async def test_both_sides_of_a_disagreement_are_listed_although_only_one_was_in_the_first_few(
    ask: AskFunction, two_bodies: HybridSearcher
) -> None:
    settings = AgentSettings(search_first=True, write_answers=False, evidence_per_search=2, listed_recommendations=2)
    asked = await ask([search("nitrofurantoin")], QUESTION, settings=settings, using=two_bodies)
    answer = asked.summary.answer
    (disagreement,) = answer.disagreements
    (difference,) = disagreement.differences
    assert difference.kind is DifferenceKind.DURATION
    assert {difference.first, difference.second} == {THREE, FIVE}
    assert {citation.publisher for citation, _ in answer.sides(disagreement, difference)} == {"Body A", "Body B"}
    # The record says so too: what is withdrawn later is looked for there.
    logged = [hit for entry in asked.rollout.retrieval for hit in entry.hits]
    assert [hit.passage_id for hit in logged if hit.beside] == ["b/1"]


async def test_an_answer_is_never_made_of_what_the_model_was_not_shown(
    ask: AskFunction, two_bodies: HybridSearcher
) -> None:
    settings = AgentSettings(evidence_per_search=2, also_listed=0)
    asked = await ask([search("nitrofurantoin"), ANSWER, cite_first], QUESTION, settings=settings, using=two_bodies)
    shown_to_model = "\n".join(message.content for message in asked.rollout.messages)
    assert "5 days" not in shown_to_model
    assert all("5 days" not in sentence for sentence in asked.sentences)
    assert "b/1" in {citation.passage_id for citation in asked.summary.answer.citations}
    assert asked.summary.answer.disagreements
