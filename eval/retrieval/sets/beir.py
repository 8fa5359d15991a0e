"""Any folder in the BEIR layout: corpus.jsonl, queries.jsonl, qrels/*.tsv.

Thakur et al.: "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval Models", NeurIPS
2021 (datasets and benchmarks). corpus.jsonl has `_id`, `title` (may be absent) and `text`; queries.jsonl has `_id`
and `text`; a qrels file has query id, passage id and grade in three tab-separated columns, usually under a header.
The title is searched before the text, as BEIR does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from eval.retrieval.errors import SetInvalidError, SetMissingError
from eval.retrieval.question_set import QuestionSet, assembled, plain_entry
from eval.retrieval.sets.locating import reading

_DEFAULT_SPLIT = "test"


def read_beir(folder: Path, *, split: str | None = None) -> QuestionSet:
    """The set in `folder`, named after it.

    Args:
        split: name of a file in qrels/ without its ending. Without it: the only file there, else "test".

    Raises:
        SetMissingError: a file of the layout is not there.
        SetInvalidError: a line cannot be read; the message names file and line.
    """
    corpus, questions = folder / "corpus.jsonl", folder / "queries.jsonl"
    for path in (corpus, questions):
        if not path.is_file():
            raise SetMissingError(f"The folder {folder.name} has no {path.name}, so it is not in the BEIR layout.")
    qrels = _qrels(folder, split)
    with reading(qrels):
        grades = _grades(qrels)
    with reading(corpus):
        entries = [
            plain_entry(str(row["_id"]), str(row.get("text") or ""), title=str(row.get("title") or ""))
            for row in _rows(corpus)
        ]
    with reading(questions):
        # queries.jsonl holds every split's queries; those the chosen file does not judge belong to another one.
        queries = [(str(row["_id"]), str(row["text"])) for row in _rows(questions) if str(row["_id"]) in grades]
    return assembled(
        folder.resolve().name,
        measures_what=f"The judgements in qrels/{qrels.name} of this folder in the BEIR layout.",
        entries=entries,
        queries=queries,
        grades=grades,
    )


def _qrels(folder: Path, split: str | None) -> Path:
    files = {path.stem: path for path in sorted((folder / "qrels").glob("*.tsv"))}
    if not files:
        raise SetMissingError(f"The folder {folder.name} has no qrels/*.tsv, so it is not in the BEIR layout.")
    wanted = split or (next(iter(files)) if len(files) == 1 else _DEFAULT_SPLIT)
    if wanted not in files:
        raise SetMissingError(f"The folder {folder.name} has no qrels/{wanted}.tsv: choose --split {'|'.join(files)}.")
    return files[wanted]


def _rows(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise SetInvalidError(f"{path.name} line {number} is not JSON.") from error
            if not isinstance(row, dict) or "_id" not in row:
                raise SetInvalidError(f"{path.name} line {number} has no _id.")
            yield row


def _grades(path: Path) -> dict[str, dict[str, int]]:
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        try:
            query_id, passage_id, grade = columns
            value = float(grade)
        except ValueError as error:
            if number == 1 and len(columns) == 3:
                continue  # the header
            raise SetInvalidError(f"{path.name} line {number} is not query id, passage id, grade.") from error
        if not value.is_integer():
            raise SetInvalidError(f"{path.name} line {number} has a grade that is not a whole number.")
        grades[query_id][passage_id] = int(value)
    return dict(grades)
