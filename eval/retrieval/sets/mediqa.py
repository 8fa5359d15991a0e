"""MEDIQA 2019 task 3 as retrieval: which of all its answers serves a consumer's health question?

Ben Abacha, Shivade, Demner-Fushman: "Overview of the MEDIQA 2019 Shared Task on Textual Inference, Question
Entailment and Question Answering", BioNLP 2019. Experts graded the answers that one system returned for each
question: 4 excellent, 3 correct but incomplete, 2 related, 1 incorrect. The task itself is reranking; here every
question searches the answers of all questions, with gain = grade - 1, and 3 or better counts as relevant. An
answer given to another question was not judged for this one and counts as 0, so figures are lower bounds and
low for any system: read judged@10 beside them. Answers are searched whole; an encoder sees only their beginning.
"""

from __future__ import annotations

import hashlib
import lzma
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from eval.retrieval.question_set import QuestionSet, assembled, plain_entry
from eval.retrieval.sets.locating import reading, required

#: What the publisher calls the parts; every part searches the answers of both.
MediqaPart = Literal["TrainingSet2-Alexa", "ValidationSet"]
_PARTS: tuple[MediqaPart, ...] = get_args(MediqaPart)
_RELEVANT_GAIN = 2  # grade 3, correct but incomplete
_WHAT = (
    "Does the search find the answers that experts graded correct for a consumer's question among the answers of all "
    "questions? Answers to other questions are unjudged and count as wrong, so figures are lower bounds."
)


def read_mediqa(folder: Path, asked: MediqaPart | None = None, name: str = "mediqa") -> QuestionSet:
    """The set, of the training (Alexa) and the validation part together.

    Args:
        asked: only the questions of this part, over the same answers; for what was trained on the other part.
        name: what the set is called.

    Raises:
        SetMissingError: a file is not in `folder`.
        SetInvalidError: a file is damaged.
    """
    texts: dict[str, str] = {}
    queries: dict[str, str] = {}
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    conflicts = 0
    paths = required(folder, *(f"mediqa_task3_{part}.xml.xz" for part in _PARTS))
    for part, path in zip(_PARTS, paths, strict=True):
        with reading(path):
            for question in _questions(path):
                query_id = f"{part}/{question.attrib['QID']}"
                if asked in (None, part):
                    queries[query_id] = question.findtext("QuestionText", "")
                for answer in question.iter("Answer"):
                    text = " ".join(answer.findtext("AnswerText", "").split())
                    if not text:
                        continue
                    key = hashlib.sha256(text.encode()).hexdigest()[:16]
                    texts[key] = text
                    gain = int(answer.attrib["ReferenceScore"]) - 1
                    conflicts += grades[query_id].get(key, gain) != gain
                    grades[query_id][key] = max(gain, grades[query_id].get(key, 0))
    return assembled(
        name,
        measures_what=_WHAT,
        entries=(plain_entry(key, text) for key, text in sorted(texts.items())),
        queries=queries.items(),
        grades={query_id: own for query_id, own in grades.items() if query_id in queries},
        relevant_from=_RELEVANT_GAIN,
        left_out={"lower of two grades of one answer to one question": conflicts},
    )


def _questions(path: Path) -> Iterator[ET.Element]:
    content = lzma.decompress(path.read_bytes())
    if b"<!ENTITY" in content:
        raise ValueError("entities are not read")
    return ET.fromstring(content).iter("Question")  # noqa: S314 - no entities, see above
