"""Question sets by name, as rows of the form that `clinsearch eval agent` reads.

`own` is the project's: a question for each starter condition, which the starter guidelines answer, and questions that
no guideline here answers. The others are third-party files that stay where they are (`CLINSEARCH_BENCHMARKS`).
HealthBench's text carries a canary and must not be published: it stands in no error, report or log, only in the records
of the runs on it.
"""

from __future__ import annotations

import json
import lzma
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from eval.agent.questions import write_marked
from eval.conditions import condition_questions
from eval.relevance import off_corpus_questions
from eval.retrieval.errors import SetInvalidError
from eval.retrieval.sets import benchmarks_folder
from eval.retrieval.sets.locating import reading, required
from retrieval import starter_entries

Row = Mapping[str, Any]

_K_QA_FILE = "k_qa_with_answers.jsonl.xz"
_CONTEXT_FILE = "healthbench_context_seeking_104.jsonl.xz"
#: What HealthBench's physicians agreed on, as tags, and whether the question lacks what decides the answer.
_CONTEXT_TAGS = {
    "physician_agreed_category:not-enough-context": True,
    "physician_agreed_category:enough-context": False,
}


def own_rows() -> list[Row]:
    """76 questions that the starter guidelines answer and 60 that no clinical guideline here answers.

    Any recommendation on the question's condition is gold: which of them answers it was not marked.
    """
    gold: defaultdict[str, list[str]] = defaultdict(list)
    for entry in starter_entries():
        for passage in entry.passages:
            gold[passage.id.split("/")[1]].append(passage.id)  # "starter/<condition>/<number>"
    rows: list[Row] = [
        {"id": asked.id, "question": asked.question, "answerable": True, "gold": gold[asked.id]}
        for asked in condition_questions()
    ]
    return rows + [{"id": off.id, "question": off.question, "answerable": False} for off in off_corpus_questions()]


def k_qa_rows(folder: Path) -> list[Row]:
    """201 patients' questions with the statements that physicians say an answer must have.

    Whether the corpora hold the answers nobody said. Raises SetMissingError, SetInvalidError.
    """
    (path,) = required(folder, _K_QA_FILE)
    with reading(path):
        return [
            {
                "id": f"k-qa-{number:03}",
                "question": str(value["Question"]),
                "must_have": [statement.strip() for statement in value["Must_have"] if statement.strip()],
            }
            for number, value in enumerate(_objects(path), start=1)
        ]


def context_rows(folder: Path) -> list[Row]:
    """104 conversations of HealthBench that lack what decides the answer, or have it, as physicians agreed.

    Raises:
        SetMissingError, SetInvalidError: the file is not there or damaged; never with text of it.
    """
    (path,) = required(folder, _CONTEXT_FILE)
    rows: list[Row] = []
    with reading(path):
        for value in _objects(path):
            needs = [_CONTEXT_TAGS[tag] for tag in value["example_tags"] if tag in _CONTEXT_TAGS]
            *earlier, last = value["prompt"]
            asked, answered = earlier[::2], earlier[1::2]
            roles = [message["role"] for message in value["prompt"]]
            if len(needs) != 1 or roles != ["user", "assistant"] * len(asked) + ["user"]:
                raise SetInvalidError(f"A row of {path.name} is not in the form that is known.")
            history = [
                {"question": question["content"], "answer": answer["content"]}
                for question, answer in zip(asked, answered, strict=True)
            ]
            rows.append(
                {"id": value["prompt_id"], "question": last["content"], "history": history, "needs_context": needs[0]}
            )
    return rows


SETS: Mapping[str, Callable[[], list[Row]]] = {
    "own": own_rows,
    "k-qa": lambda: k_qa_rows(benchmarks_folder()),
    "context-seeking": lambda: context_rows(benchmarks_folder()),
}


def write_rows(target: Path, rows_of: Mapping[str, Iterable[Row]]) -> int:
    """Write the rows of sets, by name, into one file, marked so that their runs are never trained on.

    Returns how many there are. Raises OutputError.
    """
    return write_marked(target, ({**row, "of_set": name} for name, rows in rows_of.items() for row in rows))


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
