"""If these fail, the query adapter learns from what answers a test, or that a right answer is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval import (
    CorpusEntry,
    Document,
    DocumentId,
    HashingEncoder,
    Passage,
    PassageId,
    PassageKind,
    SourceId,
)
from retrieval.searched_text import dense_text, text_hash
from retrieval.vectors import VectorStore
from training.errors import TrainingDataError
from training.query_adapter import Pool, build_examples, examples_hash, read_pool, reciprocal_ranks
from training.questionset import LibraryWords
from training.reranker import RankedQuestion


def page(name: str, *texts: str, source: str = "guidelines") -> CorpusEntry:
    document = Document(id=DocumentId(name), source=SourceId(source), title=name, publisher="Example", region="INT")
    passages = tuple(
        Passage(
            id=PassageId(f"{name}#{number}"),
            document_id=document.id,
            kind=PassageKind.RECOMMENDATION,
            section=(),
            text=text,
        )
        for number, text in enumerate(texts)
    )
    return CorpusEntry(document=document, passages=passages)


ENTRIES = (
    page("gout", "colchicine helps gout", "rest the joint"),
    page("copy", "rest the joint"),
    page("tested", "allopurinol prevents gout"),
    page("leaflet", "gout hurts", source="patient_information"),
)
TRAINABLE = frozenset(PassageId(id) for id in ("gout#0", "gout#1", "copy#0"))


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    encoder = HashingEncoder()
    vectors = VectorStore(tmp_path, fingerprint=encoder.fingerprint, dimension=encoder.dimension)
    texts = list(dict.fromkeys(dense_text(passage) for entry in ENTRIES for passage in entry.passages))
    vectors.add([text_hash(text) for text in texts], encoder.encode_passages(texts))
    return read_pool(LibraryWords(ENTRIES), TRAINABLE, vectors)


def asked(question: str, *gold: str, partly: Sequence[str] = (), **fields: str) -> RankedQuestion:
    values = {"source": "guidelines", "origin": "written", "part": "train", **fields}
    return RankedQuestion.model_validate({"question": question, "gold": gold, "partly": partly, **values})


def test_the_pool_is_the_sources_passages_with_what_may_be_trained_on(pool: Pool) -> None:
    assert list(pool.ids) == ["gout#0", "gout#1", "copy#0", "tested#0"]
    assert pool.trainable.tolist() == [True, True, True, False]
    np.testing.assert_allclose(pool.vectors[0], HashingEncoder().encode_passages(["colchicine helps gout"])[0])


def test_an_index_of_another_library_is_refused(tmp_path: Path) -> None:
    empty = VectorStore(tmp_path, fingerprint="other", dimension=8)
    with pytest.raises(TrainingDataError, match="not of this library"):
        read_pool(LibraryWords(ENTRIES), TRAINABLE, empty)


def test_passages_of_one_text_are_one_answer_and_what_answers_in_part_is_neither(pool: Pool) -> None:
    (example,), counts = build_examples([asked("rest?", "gout#1", partly=["gout#0", "copy#0"])], pool)
    assert example.answers == (1, 2)
    assert example.ignored == (0,)
    assert counts == {"examples from written questions": 1, "passages to choose from": 3}


def test_what_must_not_be_trained_on_is_left_out_and_counted(pool: Pool) -> None:
    questions = [
        asked("its answer is tested", "tested#0"),
        asked("for choosing", "gout#0", part="dev"),
        asked("of another source", "leaflet#0", source="patient_information"),
        asked("nothing answers"),
        asked("kept", "tested#0", "gout#0"),
    ]
    (example,), counts = build_examples(questions, pool)
    assert (example.question, example.answers) == ("kept", (0,))
    assert counts["questions left out: their answers may not be trained on"] == 1
    with pytest.raises(TrainingDataError, match="No question"):
        build_examples(questions[:4], pool)


def test_the_hash_is_of_questions_and_of_what_there_is_to_choose_from(pool: Pool) -> None:
    one, _ = build_examples([asked("rest?", "gout#1")], pool)
    two, _ = build_examples([asked("rest now?", "gout#1")], pool)
    fewer = Pool(pool.ids, pool.texts, pool.vectors, np.array([False, True, True, False]))
    assert len({examples_hash(one, pool), examples_hash(two, pool), examples_hash(one, fewer)}) == 3
    assert examples_hash(one, pool) == examples_hash(one, pool)


def test_a_rank_is_of_the_best_answer_among_all_passages(pool: Pool) -> None:
    encoder = HashingEncoder()
    questions = [asked("colchicine helps gout", "gout#0"), asked("rest the joint", "gout#0"), asked("?", "gone#0")]
    queries = encoder.encode_queries([one.question for one in questions])
    ranks = reciprocal_ranks(questions, queries, pool)
    assert ranks[0] == 1.0
    assert ranks[1] < 0.5  # both passages that say so stand before it
    assert ranks[2] == 0.0
