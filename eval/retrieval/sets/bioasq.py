"""BioASQ task B, years 7 to 9: biomedical questions with the snippets that experts marked as answering them.

Tsatsaronis et al.: "An overview of the BIOASQ large-scale biomedical semantic indexing and question answering
competition", BMC Bioinformatics 16:138, 2015. The passages searched are the gold snippets of all questions, so
the task is easier than a search of PubMed, and only positives are known: a snippet that would answer another
question too counts as not relevant there. Snippets with the same words are one passage.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path

from eval.retrieval.question_set import QuestionSet, assembled, plain_entry
from eval.retrieval.sets.locating import archived, reading, required

_FILE = "bioasq_7b_9b.tar.xz"
_WHAT = (
    "Does the search find the snippets that experts marked for a question among the marked snippets of all questions? "
    "Positives only; easier than a search of PubMed."
)


def read_bioasq(folder: Path) -> QuestionSet:
    """The set.

    Raises:
        SetMissingError: the archive is not in `folder`.
        SetInvalidError: it is damaged.
    """
    (path,) = required(folder, _FILE)
    texts: dict[str, str] = {}
    queries: dict[str, str] = {}
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with reading(path):
        for _, content in archived(path, ".json"):
            for question in json.loads(content)["questions"]:
                queries[question["id"]] = question["body"]
                for snippet in question.get("snippets", []):
                    text = " ".join(snippet["text"].split())
                    if text:
                        key = hashlib.sha256(text.encode()).hexdigest()[:16]
                        texts[key] = text
                        grades[question["id"]][key] = 1
    return assembled(
        "bioasq",
        measures_what=_WHAT,
        entries=(plain_entry(key, text) for key, text in sorted(texts.items())),
        queries=queries.items(),
        grades=grades,
    )
