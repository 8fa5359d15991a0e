"""NFCorpus, dev split: titles of nutrition pages as queries, PubMed abstracts as passages.

Boteva, Gholipour, Sokolov, Riezler: "A Full-Text Learning to Rank Dataset for Medical Information Retrieval",
ECIR 2016. Uses the titles and the judgements with grades 2 (linked by the page) and 1 (linked by a linked page),
as the paper's experiments and BEIR do. These texts are lowercased and stop-worded, which handicaps a dense
encoder trained on plain English; figures do not compare with BEIR's, whose texts are whole.
"""

from __future__ import annotations

import tarfile
from collections import defaultdict
from pathlib import Path

from eval.retrieval.question_set import QuestionSet, assembled, plain_entry
from eval.retrieval.sets.locating import reading, required

_FILE = "nfcorpus_dev.tar.xz"
_PARTS = ("dev.docs", "dev.titles.queries", "dev.2-1-0.qrel")
_WHAT = (
    "Does the search find the abstracts that a nutrition page cites (grade 2), or that its linked pages cite (1)? "
    "Texts are lowercased and stop-worded, which handicaps dense search."
)


def read_nfcorpus(folder: Path) -> QuestionSet:
    """The set.

    Raises:
        SetMissingError: the archive is not in `folder`.
        SetInvalidError: it is damaged.
    """
    (path,) = required(folder, _FILE)
    with reading(path):
        docs, queries, qrels = _lines(path)
        grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for line in qrels:
            query_id, _, passage_id, grade = line.split("\t")
            grades[query_id][passage_id] = int(grade)
        return assembled(
            "nfcorpus",
            measures_what=_WHAT,
            entries=[plain_entry(*_pair(line)) for line in docs],
            queries=[_pair(line) for line in queries],
            grades=grades,
        )


def _lines(path: Path) -> list[list[str]]:
    contents = []
    with tarfile.open(path, "r:xz") as archive:
        for part in _PARTS:
            file = archive.extractfile(part)
            if file is None:
                raise ValueError(part)
            contents.append([line for line in file.read().decode().split("\n") if line])
    return contents


def _pair(line: str) -> tuple[str, str]:
    identifier, text = line.split("\t", 1)
    return identifier, text
