"""If these fail, training data holds evaluated questions, wrong answers marked right, or differs from run to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval import CorpusEntry, HashingEncoder, Passage, memory_searcher
from training.reranker import Contamination, Evaluated, GradedQuestion, RerankerConfig, TrainingDataError, prepare_data
from training.reranker import read_data as read
from training.reranker.dataset import Dataset, build_dataset, trained_text
from training.reranker.questions import corpus_questions

_CONFIG = RerankerConfig(synonym_share=0, untitled_share=0, terse_share=0, held_out_questions=2, mined=2, mined_to=10)
_CLEAN = Contamination([])
_GRADED = GradedQuestion("Do spoons help?", (("They do.", 3), ("Spoons are of wood.", 1), ("Forks.", 0)))


def build(
    pages: tuple[CorpusEntry, ...], evaluated: Contamination = _CLEAN, graded_apart: Contamination = _CLEAN
) -> Dataset:
    asked = corpus_questions(pages, _CONFIG)
    return build_dataset(asked, [_GRADED], memory_searcher(pages), evaluated, graded_apart, _CONFIG)


def test_the_answer_comes_first_then_the_same_page_then_other_conditions(pages: tuple[CorpusEntry, ...]) -> None:
    for group in build(pages).groups:
        assert group.grades[0] == 3
        assert list(group.grades) == sorted(group.grades, reverse=True)
        if group.origin == "medquad":
            title = group.passages[0].split(".")[0]
            same_page = [text.startswith(title) for text in group.passages]
            assert same_page == [grade > 0 for grade in group.grades]


def test_no_page_of_a_held_out_question_is_trained_on(pages: tuple[CorpusEntry, ...]) -> None:
    dataset = build(pages)
    titles = {one.title for one in dataset.held_out}
    assert len(dataset.held_out) == len(titles) == 2
    assert not any(f" {title}" in group.question for group in dataset.groups for title in titles)


def test_an_evaluated_question_stays_out_and_is_counted(pages: tuple[CorpusEntry, ...]) -> None:
    question = next(group.question for group in build(pages).groups if group.origin == "medquad")
    dataset = build(pages, Contamination([Evaluated("held", [question], [])]))
    assert question not in {group.question for group in dataset.groups}
    assert dataset.counts["questions left out: asked in held"] == 1


def test_an_evaluated_passage_is_neither_answer_nor_negative(pages: tuple[CorpusEntry, ...]) -> None:
    text = "Wooden spoons were safe in all of the kitchens that were visited in May."
    dataset = build(pages, Contamination([Evaluated("held", [], [text])]))
    assert any("Wooden" in passage for group in build(pages).groups for passage in group.passages)
    assert not any("Wooden" in passage for group in dataset.groups for passage in group.passages)


def test_graded_answers_are_kept_apart_from_other_sets(pages: tuple[CorpusEntry, ...]) -> None:
    (kept,) = build(pages).graded
    assert kept.grades == (3, 1, 0)
    dataset = build(pages, graded_apart=Contamination([Evaluated("held", ["do spoons help"], [])]))
    assert dataset.graded == ()
    assert dataset.counts["graded questions left out: asked in held"] == 1


def test_a_repeated_question_does_not_stand_before_its_answer() -> None:
    passage = Passage.model_validate(
        {"id": "a#1", "document_id": "a", "kind": "narrative", "section": ("Gout",), "text": "What is it? It is gout."}
    )
    assert trained_text(passage, untitled=False) == "Gout. It is gout."
    assert trained_text(passage, untitled=True) == "It is gout."
    only = passage.model_copy(update={"text": "What is it?"})
    assert trained_text(only, untitled=True) == "What is it?"


def test_without_questions_there_is_nothing_to_train_on(pages: tuple[CorpusEntry, ...]) -> None:
    with pytest.raises(TrainingDataError, match="add MedQuAD"):
        build(pages[-1:])


def test_the_same_corpora_and_seed_write_the_same_files_and_are_read_back(
    pages: tuple[CorpusEntry, ...], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        prepare_data(
            pages,
            [_GRADED],
            evaluated=[Evaluated("own", ["Do spoons help?"], [])],
            graded_from="own",
            encoder=HashingEncoder(),
            vectors=tmp_path / "vectors",
            config=_CONFIG,
            folder=tmp_path / name,
        )
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert first == second
    groups, graded, counts = read(tmp_path / "one")
    assert groups
    assert [group.question for group in graded] == ["Do spoons help?"]
    assert counts["pairs"] == sum(len(group.passages) for group in (*groups, *graded))
