"""Answers made of the evidence's own statements: what may be quoted, and a grammar that allows nothing else.

A small model that copies a dose token by token gets one wrong now and then, and the gate then withholds it. Where the
server takes a grammar, the model instead chooses: every sentence it can write is a statement of a retrieved passage,
word for word, with that passage's key behind it. Only what the gate shows is offered. A statement that leans on the
one before it ("This applies ...") is offered only together with it, and a passage's contraindications as one sentence.
The gate judges the result all the same: a server that ignores grammars writes freely and is held to the same rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from agent.evidence import Evidence, EvidenceBook
from agent.gate import AnswerGate
from agent.gate.lexicon import Kind
from agent.gate.reading import read
from agent.runner_up import may_answer_as_well
from agent.sentences import DraftSentence, SentenceSplitter
from agent.sufficiency import AskedWords, Match
from retrieval import Hit, Passage
from retrieval.tokens import tokenise

#: Quotations in one answer: a direct answer, its dose or action, what forbids it, and as much of a second passage.
MAX_QUOTES = 5
#: Of them at most so many are of what may answer as well.
MAX_ALSO = 2
#: A longer statement is a paragraph without full stops; others of its passage are offered where there are any.
LONG_WORDS = 60
#: Longer contraindications are a section about a whole guideline; the citation shows them beside the recommendation.
MAX_WARNING_CHARS = 240
#: Statements that one quotation may hold, the ones it leans on included.
_MAX_CHAIN = 3
#: Hits whose quotations are held: an answer asks for them several times, and the gate judges each statement anew.
_HELD = 512
_ELSEWHERE = re.compile(r"(?:see|refer to)\b", re.IGNORECASE)
#: A statement that begins so leans on the one before it.
_LEANS = re.compile(
    r"(?:this|these|those|that|it|they|such|however|also|therefore|both|if so|otherwise)\b", re.IGNORECASE
)
#: Words that name something, in a statement that can stand alone.
_LEAST_NAMED = 2
#: Where to read on, and a clearing house's note on its own work, answer nothing.
_POINTS_ON = re.compile(
    r"(?:these|the following) resources\b|note from the national guideline clearinghouse", re.IGNORECASE
)
_ASKS_WARNING = re.compile(
    r"\bcontra-?indicat|\bunsafe|\bsafe\b|\bshould not (?:have|get|take|be given)\b", re.IGNORECASE
)
_BRACKETED = re.compile(r"\([^()]{2,80}\)")
_LEAST_WORDS = 3
#: "None is required." says nothing without the heading it stood under, and anything with another one.
_SAYS_NOTHING = frozenset(
    tokenise(
        "none nil yes no required necessary needed recommended indicated available applicable stated specific above"
    )
)


@dataclass(frozen=True)
class Quoted:
    """The passages that an answer quotes."""

    #: Where it begins: which of their statements answer is the model's choice.
    first: tuple[Evidence, ...]
    #: What it quotes as well, because it may be the likelier answer (`agent.runner_up`); a statement of it can be.
    also: Evidence | None = None
    #: Whether it may begin with contraindications: they are what was asked for, or what is to be reworded.
    warnings_answer: bool = False


def _anybody(_: Evidence) -> bool:
    return True


def worth_quoting(
    searches: Iterable[Sequence[Evidence]], question: str, *, suits: Callable[[Evidence], bool] = _anybody
) -> Quoted:
    """The first of each search's passages that can be quoted, which stand with the likeliest first (`agent.choosing`).

    Where there was one search, with it the second, where that may be the answer as well and `suits`: nothing in it
    speaks against the patient. Where any passage holds every word of the question, only such: one that lacks the drug
    or the condition answers another question.
    """
    asked = AskedWords(question)
    found = list(searches)
    whole = [_first_two([item for item in search if asked.match(item.hit) is Match.ALL]) for search in found]
    kept = [search for search in (whole if any(whole) else map(_first_two, found)) if search]
    also = None
    if len(found) == 1 and kept and len(kept[0]) > 1:
        one, two = kept[0]
        if suits(two) and _stated(two) and may_answer_as_well(one.hit, two.hit, question):
            also = two
    first = tuple(dict.fromkeys(search[0] for search in kept))
    return Quoted(first, also, warnings_answer=_ASKS_WARNING.search(question) is not None)


def _first_two(search: Sequence[Evidence]) -> list[Evidence]:
    """The first two that can be quoted; what stands behind them is not looked into."""
    return list(islice((item for item in search if quotations(item)), 2))


def quotations(evidence: Evidence) -> tuple[str, ...]:
    """What may be quoted of one passage, in its order, each ending with its key; its contraindications come last."""
    warning = warning_of(evidence.hit)
    return tuple(dict.fromkeys([*_stated(evidence), *([keyed(warning, evidence.key)] if warning else [])]))


def _stated(evidence: Evidence) -> tuple[str, ...]:
    """The quotations without the contraindications, which alone do not say of what they are."""
    return tuple(" ".join(keyed(statement, evidence.key) for statement in chain) for chain in quotable(evidence.hit))


def grammar(quoted: Quoted) -> str | None:
    """A grammar (GBNF) of all answers made of one to `MAX_QUOTES` quotations; None where nothing can be quoted.

    It begins with a statement, where there is one and no contraindication was asked for. Where something is quoted as
    well, the last one or two quotations are of it, a statement first.
    """
    offered = _literals(quotation for item in quoted.first for quotation in quotations(item))
    if not offered:
        return None
    stated = _literals(quotation for item in quoted.first for quotation in _stated(item))
    begins = offered if quoted.warnings_answer else stated or offered
    rules = f"begin ::= {begins}\nquote ::= {offered}\n"
    if quoted.also is None:
        return f'root ::= begin (" " quote){{0,{MAX_QUOTES - 1}}}\n{rules}'
    return (
        f'root ::= begin (" " quote){{0,{MAX_QUOTES - MAX_ALSO - 1}}} " " also-begin (" " also){{0,{MAX_ALSO - 1}}}\n'
        f"{rules}also-begin ::= {_literals(_stated(quoted.also))}\nalso ::= {_literals(quotations(quoted.also))}\n"
    )


def _literals(found: Iterable[str]) -> str:
    """As alternatives of a grammar; a JSON string is a literal of it too."""
    return " | ".join(json.dumps(quotation, ensure_ascii=False) for quotation in dict.fromkeys(found))


@lru_cache(maxsize=_HELD)
def quotable(hit: Hit) -> tuple[tuple[str, ...], ...]:
    """The statements of a passage as they may be shown, each after those it leans on; long ones only if all are.

    What answers nothing by itself is left out: a question, a list of where to read on, or a "None required" whose
    heading says of what.
    """
    whole = statements(hit.passage)
    forms = [_shown_form(hit, statement) for statement in whole]
    chains = []
    for place in range(len(forms)):
        first = place
        while first and _LEANS.match(whole[first]):
            first -= 1
        chain = tuple(part for part in forms[first : place + 1] if part)
        if len(chain) == place + 1 - first <= _MAX_CHAIN and _says_something(" ".join(chain)):
            chains.append(chain)
    short = [chain for chain in chains if max(len(part.split()) for part in chain) <= LONG_WORDS]
    return tuple(short or chains) or _lines(hit)


def _lines(hit: Hit) -> tuple[tuple[str, ...], ...]:
    """The lines of a list that may not be shown as one sentence; a number only with the drug that it is of."""
    lines = (line.strip().lstrip("-*•– ").rstrip(".;: ") for line in hit.passage.text.splitlines())
    return tuple(
        (line,)
        for line in dict.fromkeys(lines)
        if len(line.split()) >= _LEAST_WORDS
        and not _LEANS.match(line)
        and _says_something(line)
        and (not any(char.isdigit() for char in line) or any(token.kind is Kind.DRUG for token in read(line).tokens))
        and _shown(hit, line)
    )


@lru_cache(maxsize=_HELD)
def warning_of(hit: Hit) -> str | None:
    """A passage's contraindications as one sentence, where they are short enough to be one and may be shown."""
    warnings = "; ".join(hit.passage.contraindications)
    if not warnings or len(warnings) > MAX_WARNING_CHARS or _ELSEWHERE.match(warnings):
        return None
    warning = f"Contraindications: {warnings}"
    return warning if _shown(hit, warning) else None


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


def keyed(text: str, key: str) -> str:
    """A statement as a sentence of an answer."""
    return f"{text.rstrip('.;: ')} [{key}]."


def _says_something(statement: str) -> bool:
    named = set(tokenise(statement)) - _SAYS_NOTHING
    return not statement.endswith("?") and len(named) >= _LEAST_NAMED and not _POINTS_ON.match(statement)


def _shown_form(hit: Hit, statement: str) -> str | None:
    """The statement as it may be shown: with what it has in brackets, else without, else not at all.

    A number in brackets is part of a dose or a range, and never left out.
    """
    forms = [statement]
    if not any(char.isdigit() for bracket in _BRACKETED.findall(statement) for char in bracket):
        forms.append(" ".join(_BRACKETED.sub("", statement).split()))
    return next((form for form in forms if _shown(hit, form)), None)


def _shown(hit: Hit, text: str) -> bool:
    """Whether the gate would show this sentence with this passage as its source."""
    book = EvidenceBook("quoting")
    evidence, _ = book.add(hit)
    splitter = SentenceSplitter()
    pieces: Sequence[DraftSentence] = [*splitter.feed(keyed(text, evidence.key)), *splitter.close()]
    return len(pieces) == 1 and AnswerGate(book).check(pieces[0]).shown
