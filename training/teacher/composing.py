"""The house style, written from passages: the direct answer, then dose or action, then contraindications.

Sentences are the passage's own statements, each with its key, so a model trained on them learns to stay with the
source. No clinical word is added. Only what the answer gate shows is written: a grade that stands alone in brackets
joins the statement it belongs to, a statement that the gate would withhold gives way to the next one. The population
is not written out: the citation shows it beside the recommendation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.evidence import EvidenceBook
from agent.gate import AnswerGate
from agent.sentences import DraftSentence, SentenceSplitter
from retrieval import Hit, Passage
from retrieval.tokens import tokenise

#: Statements taken from the passage that answers best, and from each other one.
FIRST_STATEMENTS = 2
OTHER_STATEMENTS = 1
#: A longer statement is a paragraph without full stops; another one is taken where there is one.
LONG_WORDS = 60
#: Longer contraindications are a section about a whole guideline; the citation shows them beside the recommendation.
MAX_WARNING_CHARS = 240
_ELSEWHERE = re.compile(r"(?:see|refer to)\b", re.IGNORECASE)
#: A statement that begins so leans on the one before it.
_LEANS = re.compile(
    r"(?:this|these|those|that|it|they|such|however|also|therefore|both|if so|otherwise)\b", re.IGNORECASE
)
_BRACKETED = re.compile(r"\([^()]{2,80}\)")
_LEAST_WORDS = 3


def compose(question: str, cited: Sequence[tuple[str, Hit]]) -> str:
    """The answer to `question` from (key, passage) pairs, most important first; one space between sentences."""
    parts = []
    for place, (key, hit) in enumerate(cited):
        passage = hit.passage
        parts += [
            _sentence(statement, key)
            for statement in _chosen(question, hit, OTHER_STATEMENTS if place else FIRST_STATEMENTS)
        ]
        warnings = "; ".join(passage.contraindications)
        if warnings and len(warnings) <= MAX_WARNING_CHARS and not _ELSEWHERE.match(warnings):
            warning = f"Contraindications: {warnings}"
            if _shown(hit, warning):
                parts.append(_sentence(warning, key))
    return " ".join(parts)


def statements(passage: Passage) -> list[str]:
    """The passage's sentences as the service would split them, without a full stop at the end."""
    # A full stop inside one would end it before its key, so the service's own splitter decides where one ends.
    text = " ".join(passage.text.split())
    splitter = SentenceSplitter()
    found: list[str] = []
    for draft in [*splitter.feed(text), *splitter.close()]:
        words = draft.text.rstrip(".;: ")
        if _BRACKETED.fullmatch(words) and found:
            found[-1] = f"{found[-1]} {words}"
        elif len(words.split()) >= _LEAST_WORDS:
            found.append(words)
    return found


def _chosen(question: str, hit: Hit, most: int) -> list[str]:
    """The statement that answers, with the one before where it leans on it, then what follows it."""
    whole = statements(hit.passage)
    usable = [form for statement in whole if (form := _shown_form(hit, statement))]
    if not usable:
        return whole[:1] or [" ".join(hit.passage.text.split())]
    short = [statement for statement in usable if len(statement.split()) <= LONG_WORDS] or usable
    wanted = set(tokenise(question))

    def shared(number: int) -> tuple[int, int]:
        return len(wanted & set(tokenise(short[number]))), -number

    best = max(range(len(short)), key=shared)
    first = best - 1 if best and _LEANS.match(short[best]) and most > 1 else best
    return short[first : first + most]


def _shown_form(hit: Hit, statement: str) -> str | None:
    """The statement as it may be shown: with what it has in brackets, else without, else not at all."""
    forms = (statement, " ".join(_BRACKETED.sub("", statement).split()))
    return next((form for form in forms if _shown(hit, form)), None)


def _shown(hit: Hit, text: str) -> bool:
    """Whether the gate would show this sentence with this passage as its source."""
    book = EvidenceBook("compose")
    evidence, _ = book.add(hit)
    splitter = SentenceSplitter()
    pieces: list[DraftSentence] = [*splitter.feed(_sentence(text, evidence.key)), *splitter.close()]
    gate = AnswerGate(book)
    return len(pieces) == 1 and gate.check(pieces[0]).shown


def _sentence(text: str, key: str) -> str:
    return f"{text.rstrip('.;: ')} [{key}]."
