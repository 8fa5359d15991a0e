"""If these fail, a run trains on other data than its card names, or makes its data again each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retrieval import HybridSearcher, PassageId, SourceId
from training.decontamination import Evaluated
from training.questions import QuestionKind, TrainingQuestion
from training.questionset import LibraryWords
from training.reranker import (
    CheckpointError,
    Material,
    PassageQuestion,
    RerankerConfig,
    is_prepared,
    prepare_data,
    read_data,
)
from training.reranker.run import HITS

from .conftest import NAMES

_CONFIG = RerankerConfig(hits=6, candidates=4)


def written(number: int, part: str) -> PassageQuestion:
    return PassageQuestion.model_validate(
        {
            "question": f"{NAMES[number]}: tea?",
            "passage": PassageId(f"pages/{number}#0"),
            "part": part,
            "source": SourceId("guidelines"),
        }
    )


def real(number: int, **fields: Any) -> TrainingQuestion:
    values = {
        "id": str(number),
        "question": f"window for {NAMES[number]}?",
        "kind": QuestionKind.ANSWERABLE,
        "gold": (f"pages/{number}#2",),
        "question_source": "real",
        "licence": "CC0-1.0",
        "training_consent": True,
    }
    return TrainingQuestion.model_validate(values | fields)


def prepare(folder: Path, words: LibraryWords, searcher: HybridSearcher) -> None:
    prepare_data(
        folder,
        _CONFIG,
        material=Material(
            words=words,
            written=[written(1, "train"), written(2, "train"), written(7, "train"), written(6, "dev")],
            cases=[],
            predicted={},
            judged=[real(3)],
            real={"train": [real(4)], "dev": [real(6)], "test": [real(7)]},
            evaluated=[Evaluated("held", [f"tea: {NAMES[2]}"], ())],
        ),
        searcher=searcher,
    )


def test_data_is_of_its_part_alone_and_counted(words: LibraryWords, searcher: HybridSearcher, tmp_path: Path) -> None:
    assert not is_prepared(tmp_path)
    prepare(tmp_path, words, searcher)
    assert is_prepared(tmp_path)
    groups, dev, counts = read_data(tmp_path, _CONFIG)
    asked = {group.question for group in groups}
    # pages/7 answers a real question of the test part; pages/2 is asked of by a set that is measured with.
    assert asked <= {f"{NAMES[1]}: tea?", f"window for {NAMES[3]}?", f"window for {NAMES[4]}?"}
    assert f"window for {NAMES[3]}?" in asked
    assert not [text for group in groups for text in group.passages if NAMES[6] in text or NAMES[7] in text]
    assert counts["train questions left out: asked in held"] == 1
    assert counts["questions left out: their answers may not be trained on"] >= 1
    assert counts["pairs"] == sum(len(group.passages) for group in groups)
    assert [one.asked.question for one in dev] == [f"{NAMES[6]}: tea?", f"window for {NAMES[6]}?"]
    assert {len(one.passages) for one in dev} == {4}


def test_the_same_questions_and_library_make_the_same_files(
    words: LibraryWords, searcher: HybridSearcher, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        prepare(tmp_path / name, words, searcher)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert first == second
    assert HITS in first


def test_data_of_another_config_or_damaged_is_refused(
    words: LibraryWords, searcher: HybridSearcher, tmp_path: Path
) -> None:
    prepare(tmp_path, words, searcher)
    with pytest.raises(CheckpointError, match="another config"):
        read_data(tmp_path, RerankerConfig(hits=6, candidates=4, seed=5))
    # What is trained with it may change.
    read_data(tmp_path, RerankerConfig(hits=6, candidates=4, rank=8))
    (tmp_path / "groups.jsonl").write_text("{}\n")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_data(tmp_path, _CONFIG)
