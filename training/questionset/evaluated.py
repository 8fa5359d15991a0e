"""The questions that are evaluated with, which no trained question may repeat. They are read, never kept or shown."""

from __future__ import annotations

import csv
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from defusedxml.ElementTree import fromstring

import eval as eval_package
from training.decontamination import Evaluated

#: Question files of the project, in the evaluation's folder.
OWN_SETS = (
    "condition_questions",
    "guideline_questions",
    "guideline_agent_questions",
    "guideline_agent_questions_new",
    "guideline_agent_questions_later",
    "guideline_agent_questions_latest",
    "off_corpus_questions",
    "source_questions",
)
#: Questions in a ward's shorthand. Of these the unanswerable ones alone: the others are the part `dev` of
#: `training.reranker.passage_questions`, which chooses and is never trained on.
WARD_SETS = ("ward_questions/dev", "ward_questions/test")
_OWN = Path(eval_package.__file__).parent


def evaluated_sets(benchmarks: Path) -> tuple[list[Evaluated], list[str]]:
    """Every set that is there, and the names of the files that are not."""
    found = [Evaluated(name, [row["question"] for row in _rows(_OWN / f"{name}.jsonl")], ()) for name in OWN_SETS] + [
        Evaluated(name, [row["question"] for row in _rows(_OWN / f"{name}.jsonl") if not row["answerable"]], ())
        for name in WARD_SETS
    ]
    missing = []
    for name, (file, read) in _BENCHMARKS.items():
        path = benchmarks / file
        if path.is_file():
            found.append(Evaluated(name, [text for text in read(path) if text.strip()], ()))
        else:
            missing.append(file)
    return found, missing


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    yield from (json.loads(line) for line in path.read_text("utf-8").splitlines() if line)


def _k_qa(path: Path) -> Iterator[str]:
    for line in _text(path).splitlines():
        yield str(json.loads(line).get("Question", ""))


def _k_qa_nli(path: Path) -> Iterator[str]:
    for row in csv.DictReader(io.StringIO(_text(path))):
        yield from (value for key, value in row.items() if key and "question" in key.casefold() and value)


def _mediqa(path: Path) -> Iterator[str]:
    root = fromstring(_text(path))
    for element in root.iter():
        if element.tag in ("Question", "QuestionText"):
            yield (
                " ".join("".join(element.itertext()).split()) if element.tag == "QuestionText" else (element.text or "")
            )


def _bioasq(path: Path) -> Iterator[str]:
    for name, data in _members(path):
        if name.endswith(".json"):
            yield from _bodies(json.loads(data))


def _bodies(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("body", "question", "query") and isinstance(inner, str):
                yield inner
            else:
                yield from _bodies(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _bodies(inner)


def _nfcorpus(path: Path) -> Iterator[str]:
    for name, data in _members(path):
        if "queries" in name and not name.endswith(".ids"):
            for line in data.decode("utf-8", "replace").splitlines():
                yield line.split("\t", 1)[-1]


def _health_bench(path: Path) -> Iterator[str]:
    text = _text(path)
    rows = (
        json.loads(text) if path.name.endswith(".json.xz") else [json.loads(line) for line in text.splitlines() if line]
    )
    for row in rows if isinstance(rows, list) else [rows]:
        yield from _prompts(row)


def _prompts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("role") == "user" and isinstance(value.get("content"), str):
            yield str(value["content"])
        for inner in value.values():
            yield from _prompts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _prompts(inner)


def _text(path: Path) -> str:
    return lzma.decompress(path.read_bytes()).decode("utf-8", "replace")


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r:xz") as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                yield Path(member.name).name, file.read()


_BENCHMARKS: dict[str, tuple[str, Callable[[Path], Iterable[str]]]] = {
    "k_qa": ("k_qa_with_answers.jsonl.xz", _k_qa),
    "k_qa_nli": ("k_qa_nli.csv.xz", _k_qa_nli),
    "bioasq": ("bioasq_7b_9b.tar.xz", _bioasq),
    "mediqa_alexa": ("mediqa_task3_TrainingSet2-Alexa.xml.xz", _mediqa),
    "mediqa_validation": ("mediqa_task3_ValidationSet.xml.xz", _mediqa),
    "nfcorpus": ("nfcorpus_dev.tar.xz", _nfcorpus),
    "healthbench_m42": ("healthbench_m42_generations.jsonl.xz", _health_bench),
    "healthbench_srh": ("healthbench_srh_637.json.xz", _health_bench),
    "healthbench_context_seeking": ("healthbench_context_seeking_104.jsonl.xz", _health_bench),
}
