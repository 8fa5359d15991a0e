"""What a recommendation says, in the parts that can be compared with another's.

Read with the answer gate's own reading (`agent.gate.reading`), so that "BD" and "q12h", "1 g" and "1000 mg" are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from agent.gate.lexicon import Kind
from agent.gate.measures import Measure
from agent.gate.reading import read
from agent.gate.roots import root
from agent.gate.tokens import Token
from retrieval import Passage
from retrieval.sentences import sentence_spans
from retrieval.strength import StrengthClass, strength_classes

#: Statements of a recommendation that are read, and characters of each: what disagrees is said early on.
_MOST_STATEMENTS = 12
_MOST_CHARS = 800
#: Stems of titles that name no condition.
_GENERIC = frozenset(
    root(word)
    for word in (  # noqa: SIM905
        "guideline guidance recommendation statement management diagnosis treatment treat prevention clinical practice "
        "adult child patient disease disorder evaluation update use therapy final task force services intervention "
        "primary committee american college society national institute association emergency acute initial "
        "antimicrobial prescribing care"
    ).split()
)
_COURSE = frozenset(["course", "treatment", "therapy", "duration", "treat", "total"])
#: How a thing is judged, not what it is.
_SAID_OF = frozenset(
    "insufficient evidenc benefit harm balanc asses conclud current uspstf work group panel recommend suggest risk "  # noqa: SIM905
    "19:insufficient 21:benefit 21:harm 27:current start begin consider".split()
)
_SCREENING = frozenset(["screen", "screening", "screened"])
#: "From age 45 years", "at age 45".
_STARTS = frozenset(["from", "at", "begin", "beginning", "starting", "start"])
_FIRMNESS = frozenset([StrengthClass.STRONG, StrengthClass.MODERATE, StrengthClass.WEAK])
_REFUSALS = frozenset(["against", "recommend_against", "recommends_against", "not", "avoid", "no"])
_TIMES = ("minutes", "months")
#: A unit of a drug's dose, in the forms that the gate's measures have.
_DOSE_UNITS = ("mg", "g", "microgram", "unit", "mmol", "mg/kg", "unit/kg", "microgram/kg", "mg/kg/d", "ml/kg")


class Direction(StrEnum):
    """Whether something is to be done."""

    FOR = "for"
    AGAINST = "against"
    #: Neither: the evidence is said not to suffice.
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement, in the parts that are compared."""

    words: str
    drugs: frozenset[str]
    routes: frozenset[str]
    doses: tuple[tuple[str, Measure], ...]
    durations: tuple[Measure, ...]
    intervals: tuple[Measure, ...]
    #: Ages that the statement is about.
    ages: tuple[Measure, ...]
    first_choice: bool
    direction: Direction
    #: What it names, and what is to be done with it.
    named: frozenset[str]
    screens: bool


@dataclass(frozen=True, slots=True)
class Point:
    """One recommendation, read."""

    #: Stems that title and heading name it by.
    topic: frozenset[str]
    #: Stems that the title of its guideline names.
    title: frozenset[str]
    #: All stems it names anything by, those of its title too.
    named: frozenset[str]
    drugs: frozenset[str]
    people: frozenset[str]
    statements: tuple[Stated, ...]


@lru_cache(maxsize=512)
def point_of(passage: Passage, title: str, publisher: str) -> Point:
    """Read a recommendation. About a millisecond; kept for the passages read last."""
    heading = _read(" . ".join([title, *passage.section]))
    # The innermost heading that names something: the title of a long guideline is about many conditions.
    topics = (frozenset(_names(_read(text))) - _GENERIC for text in (*reversed(passage.section), title))
    topic = next((found for found in topics if found), frozenset[str]())
    parts = [passage.text[start:end] for start, end in sentence_spans(passage.text)[:_MOST_STATEMENTS]]
    read_parts = [_read(part) for part in parts]
    population = _read(passage.population or "")
    said = [token for tokens in read_parts for token in tokens]
    statements = tuple(
        _stated(part, tokens, passage, publisher) for part, tokens in zip(parts, read_parts, strict=True)
    )
    return Point(
        title=frozenset(_names(_read(title))) - _GENERIC,
        topic=topic or frozenset(_names(said)) - _GENERIC,
        named=frozenset((*_stems(heading), *_stems(said), *_stems(population))),
        drugs=frozenset(token.form for token in said if token.kind is Kind.DRUG),
        people=frozenset(
            token.form for token in (*heading, *said, *population) if token.kind is Kind.POPULATION and not token.denied
        ),
        statements=statements,
    )


def _read(text: str) -> Sequence[Token]:
    return read(text[:_MOST_CHARS]).tokens


def _names(tokens: Iterable[Token]) -> Iterable[str]:
    """What is named: words, drugs, and labels ("hepatitis C", "type 2"), whose number or letter belongs to the name."""
    for token in tokens:
        if token.measure is not None and token.measure.dimension == "label":
            yield token.measure.low
        elif token.kind in (Kind.WORD, Kind.DRUG):
            yield token.form


def _stems(tokens: Sequence[Token]) -> Iterable[str]:
    """What is named, and what is to be done with it ("screening")."""
    yield from _names(tokens)
    yield from (token.form for token in tokens if token.kind is Kind.DIRECTION)


def _stated(words: str, tokens: Sequence[Token], passage: Passage, publisher: str) -> Stated:
    doses: list[tuple[str, Measure]] = []
    drug = ""
    pending: list[Measure] = []
    for token in tokens:
        if token.kind is Kind.DRUG:
            drug = token.form
            # "500 mg of amoxicillin": the dose before the first drug is its.
            doses += [(drug, measure) for measure in pending]
            pending = []
        elif token.measure and token.measure.dimension in _DOSE_UNITS and not token.denied:
            if drug:
                doses.append((drug, token.measure))
            else:
                pending.append(token.measure)
    return Stated(
        words=words,
        drugs=frozenset(token.form for token in tokens if token.kind is Kind.DRUG),
        routes=frozenset(token.form for token in tokens if token.kind is Kind.ROUTE),
        doses=tuple(doses),
        durations=tuple(_durations(tokens)),
        intervals=tuple(t.measure for t in tokens if t.measure and t.measure.dimension == "often" and not t.denied),
        ages=tuple(_ages(tokens)),
        first_choice=any(token.word == "first-line" and not token.denied for token in tokens),
        direction=_direction(tokens, passage.strength, publisher),
        named=frozenset(_stems(tokens)) - _SAID_OF,
        screens=any(token.word in _SCREENING for token in tokens),
    )


def _durations(tokens: Sequence[Token]) -> Iterable[Measure]:
    """Lengths of time that something is given for: "for 5 days", "a 5-day course"."""
    for at, token in enumerate(tokens):
        if token.measure is None or token.measure.dimension not in _TIMES or token.age or token.denied:
            continue
        before = tokens[at - 1].word if at else ""
        around = {other.word for other in tokens[max(0, at - 3) : at + 3]}
        if before == "for" or around & _COURSE:
            yield token.measure


def _ages(tokens: Sequence[Token]) -> Iterable[Measure]:
    """Ages; one from which on something is done is the low end of a range."""
    for at, token in enumerate(tokens):
        if token.measure is None or not token.age:
            continue
        before = {other.word for other in tokens[max(0, at - 2) : at]}
        starts = before & _STARTS and not token.measure.comparator and not token.measure.high
        yield token.measure._replace(comparator=">=") if starts else token.measure


def _direction(tokens: Sequence[Token], strength: str | None, publisher: str) -> Direction:
    """For or against, by the grade where it says so, else by what the text says no to first."""
    words = {token.word for token in tokens}
    if "insufficient" in words and "evidence" in words:
        return Direction.OPEN
    named = [token for token in tokens if token.kind in (Kind.WORD, Kind.DRUG, Kind.DIRECTION)]
    denied = bool(named) and named[0].denied and not named[0].loose
    classes = strength_classes(strength, publisher)
    against = StrengthClass.AGAINST in classes and classes <= {StrengthClass.AGAINST, *_FIRMNESS}
    # A grade against something whose statement says no to nothing is that of another statement.
    return Direction.AGAINST if denied or (against and words & _REFUSALS) else Direction.FOR
