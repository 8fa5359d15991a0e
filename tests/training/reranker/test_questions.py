"""If these fail, the reranker learns from questions that nobody asks, or from the guidelines that measure it."""

from __future__ import annotations

import pytest

from retrieval import CorpusEntry
from training.reranker import RerankerConfig
from training.reranker.questions import corpus_questions, terse

_PLAIN = RerankerConfig(synonym_share=0, terse_share=0)


def test_headings_become_questions_with_the_passage_under_them(pages: tuple[CorpusEntry, ...]) -> None:
    asked = {one.question: one for one in corpus_questions(pages, _PLAIN)}
    cause = asked["What causes vexoma?"]
    assert cause.answer.section[-1] == "What causes vexoma ?"
    assert [passage.section[-1] for passage in cause.related] == ["What are the treatments for vexoma ?"]
    assert asked["Which investigations are needed in grumbling?"].origin == "nigeria"
    assert asked["Safety of wooden spoons"].origin == "mmwr"
    assert "Table 1" not in asked
    assert not any("Something else" in question for question in asked)


def test_guidelines_that_measure_the_search_are_not_asked_about(pages: tuple[CorpusEntry, ...]) -> None:
    assert not any(one.document_id.startswith("ngc") for one in corpus_questions(pages, _PLAIN))


def test_a_question_may_use_another_name_of_the_condition(pages: tuple[CorpusEntry, ...]) -> None:
    asked = corpus_questions(pages, RerankerConfig(synonym_share=1, terse_share=0))
    assert "What causes zorblax disease?" in {one.question for one in asked}


def test_the_same_seed_gives_the_same_questions_and_another_seed_another_order(
    pages: tuple[CorpusEntry, ...],
) -> None:
    first = corpus_questions(pages, RerankerConfig(seed=1))
    assert corpus_questions(pages, RerankerConfig(seed=1)) == first
    other = corpus_questions(pages, RerankerConfig(seed=2))
    assert [one.question for one in other] != [one.question for one in first]


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("What are the treatments for Asthma?", "treatments asthma"),
        ("How should type 2 diabetes be treated?", "type 2 diabetes treated"),
        ("Is it?", "Is it?"),
    ],
)
def test_a_terse_question_keeps_the_words_that_matter(question: str, short: str) -> None:
    assert terse(question) == short
