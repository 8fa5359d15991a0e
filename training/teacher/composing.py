"""The house style, written from a passage: the direct answer, then dose or action, then contraindications.

The population is not written out: the citation shows it beside the recommendation. Sentences are the passage's
own statements, so a model trained on them learns to stay with the source. Every sentence ends with its key. No
clinical word is added.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval import Passage
from retrieval.sentences import sentence_spans
from retrieval.tokens import tokenise

#: A passage up to this many words is said whole.
WHOLE_WORDS = 45
#: Statements taken from a longer one.
MAX_STATEMENTS = 2
#: Longer contraindications are a section about a whole guideline; the citation shows them beside the recommendation.
MAX_WARNING_CHARS = 240
_ELSEWHERE = re.compile(r"(?:see|refer to)\b", re.IGNORECASE)


def compose(question: str, cited: Sequence[tuple[str, Passage]]) -> str:
    """The answer to `question` from (key, passage) pairs, most important first; one space between sentences."""
    parts = []
    for key, passage in cited:
        parts += [_sentence(statement, key) for statement in _chosen(question, passage)]
        warnings = "; ".join(passage.contraindications)
        if warnings and len(warnings) <= MAX_WARNING_CHARS and not _ELSEWHERE.match(warnings):
            parts.append(_sentence(f"Contraindications: {warnings}", key))
    return " ".join(parts)


def _chosen(question: str, passage: Passage) -> list[str]:
    spans = sentence_spans(passage.text)
    statements = [text for start, end in spans if len((text := passage.text[start:end]).split()) > 2]
    if not statements:
        return [passage.text]
    if len(passage.text.split()) <= WHOLE_WORDS:
        return statements
    wanted = set(tokenise(question))

    def shared(number: int) -> tuple[int, int]:
        return len(wanted & set(tokenise(statements[number]))), -number

    best = sorted(range(len(statements)), key=shared, reverse=True)[:MAX_STATEMENTS]
    # The statement that answers comes first; what follows keeps the passage's order, for conditions refer back.
    return [statements[best[0]], *(statements[number] for number in sorted(best[1:]))]


def _sentence(text: str, key: str) -> str:
    # A full stop inside would end the sentence before its key.
    return f"{' '.join(text.split()).rstrip('.;: ')} [{key}]."
