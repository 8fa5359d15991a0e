"""Conditions: "if", "unless", "only" and their like stay with what they are said of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from agent.gate.lexicon import Kind, lexicon
from agent.gate.matching import Match
from agent.gate.tokens import Token

_ENDS = frozenset(",;:.()")
_NAMED = frozenset([Kind.WORD, Kind.MEASURE, Kind.DRUG, Kind.POPULATION, Kind.ROUTE, Kind.DIRECTION])
_LEAST_SHARE = 0.5
_RELATIVES = frozenset(["who", "whose"])
#: What limits the people it stands behind, and the words at which that ends.
_LIMITING = frozenset(
    [
        *("with", "without", "at", "on", "receiving", "taking", "undergoing", "born", "diagnosis", "identified"),
        *("admission", "exposed", "planning", "presenting", "requiring", "needing"),
    ]
)
_LIMIT_ENDS = frozenset(
    [
        *("in", "for", "to", "with", "without", "at", "by", "from", "on", "after", "before", "during"),
        *("is", "are", "offer", "give", "use", "using", "asymptomatic", "symptomatic"),
    ]
)
_ALREADY = frozenset(["aged", "age", "of", "old", "who", "are", "currently", "already"])
#: A state that tells which of the people before whom it stands: "asymptomatic adults".
_STATES = frozenset(
    [
        *("asymptomatic", "symptomatic", "pregnant", "nonpregnant", "postpartum", "breastfeeding", "postmenopausal"),
        *("premenopausal", "dwelling", "institutionalized", "hospitalized", "unsensitized", "unvaccinated"),
        *(
            "immunocompromised",
            "immunosuppression",
            "immunocompetent",
            "sexually",
            "healthy",
            "obese",
            "overweight",
            "ambulatory",
        ),
    ]
)
#: How a disorder has to be for what is advised: "symptomatic hypocalcaemia", "severe pain".
_DEGREES = frozenset(
    ["asymptomatic", "symptomatic", "severe", "uncomplicated", "refractory", "recurrent", "persistent"]
)
#: What "alone" is said with.
_ALONE = frozenset(["alone", "only", "just", "solely", "monotherapy", "single", "without", "unopposed"])
#: When, told by what else is done or happens.
_TIMES = frozenset(["before", "after", "during"])
_TIME_ENDS = frozenset(["and", "for", "with", "if", "unless", "until", "when", "to", "in", "is", "are"])
#: Whom these name are some of those meant, and may be left out.
_EXAMPLES = frozenset(["including", "include", "includes", "especially", "particularly", "like", "such", "example"])
#: How far before people a state is looked for, and an example's word before a state.
_NEAR = 3
#: "Who have had A and do not have B": two things are said of them.
_HOLDING = frozenset(["do", "does", "have", "has", "had", "are", "is", "were", "was"])
_PEOPLE = frozenset(
    [
        "people",
        "person",
        "persons",
        "patient",
        "patients",
        "those",
        "individuals",
        "groups",
        "population",
        "populations",
        "donor",
        "donors",
        "recipient",
        "recipients",
        "candidate",
        "candidates",
        "contacts",
        "outpatients",
        "inpatients",
    ]
)
_CLAUSE_ENDS = frozenset(["should", "must", "may", "can", "if", "when", "unless", "because"])
_ONLY = frozenset(
    [
        "only",
        "unless",
        "except",
        "solely",
        "exclusively",
        "until",
        "provided",
        "restricted",
        "reserved",
        "last",
        "must",
        "alone",
    ]
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a statement: its word, the words under it, and the part of the statement it holds for."""

    word: str
    start: int
    end: int
    governs: range


def conditions(tokens: Sequence[Token]) -> list[Condition]:
    """The conditions of a statement, in its order."""
    known = lexicon()
    found: list[Condition] = []
    part = 0
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.form == ";":
            part = at + 1
        if token.word in known.conditions:
            end = at + 1
            while end < len(tokens) and tokens[end].form not in _ENDS and tokens[end].word not in known.conditions:
                end += 1
            last = next((n for n in range(at, len(tokens)) if tokens[n].form == ";"), len(tokens))
            leads = at == part or all(item.kind in (Kind.FRAME, Kind.MARK) for item in tokens[part:at])
            governs = range(at, last) if leads else range(_piece_start(tokens, part, at), at)
            found.append(Condition(token.word, at, end, governs))
            if not leads and end < len(tokens) and tokens[end].form == ",":
                part = end + 1
            at = end
        else:
            at += 1
    return found


def relatives(tokens: Sequence[Token]) -> list[Condition]:
    """What a statement says of the people it is for with "who" or "whose"; "and" with a verb begins another."""
    found: list[Condition] = []
    breaks = _breaks(tokens)
    at = depth = 0
    while at < len(tokens):
        depth += {"(": 1, ")": -1}.get(tokens[at].form, 0)
        # An example in brackets limits nobody.
        if tokens[at].word not in _RELATIVES or depth > 0:
            at += 1
            continue
        governs = _statement_around(tokens, breaks, at)
        end = _relative_end(tokens, at)
        found.append(Condition(tokens[at].word, at, end, governs))
        at = end
        if at + 1 < len(tokens) and tokens[at].word == "and" and tokens[at + 1].word in _HOLDING:
            end = _relative_end(tokens, at + 1)
            found.append(Condition("who", at + 1, end, governs))
            at = end
    return found


def _relative_end(tokens: Sequence[Token], at: int) -> int:
    end = at + 1
    while end < len(tokens) and not _ends_relative(tokens, end):
        end += 1
    return end


def _ends_relative(tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    joined = token.word == "and" and at + 1 < len(tokens) and tokens[at + 1].word in (_HOLDING | _RELATIVES)
    # "Refer those who have A to a specialist" goes on.
    goes_on = token.word == "to" and at + 1 < len(tokens) and tokens[at + 1].word in ("a", "an", "the")
    return goes_on or joined or token.form in _ENDS or token.word in _RELATIVES or token.word in _CLAUSE_ENDS


def dropped_condition(sentence: Sequence[Token], found: Match) -> str | None:
    """The word of a condition the statement has for what the sentence says, and the sentence has not."""
    tokens = found.statement.tokens
    places = {id(token): n for n, token in enumerate(tokens)}
    used = {places[id(place)] for _, each in found.pairs for place in each if id(place) in places}
    words = {token.word for token in sentence}
    for condition in conditions(tokens):
        inside = range(condition.start, condition.end)
        governed = [n for n in condition.governs if n not in inside and tokens[n].kind in _NAMED and n in used]
        # A word that the rest has too does not show that the condition was kept.
        elsewhere = {tokens[n].form for n in governed}
        named = [n for n in inside if tokens[n].kind in _NAMED and tokens[n].form not in elsewhere]
        if not governed or _about_others(tokens, condition, used):
            continue
        if condition.word in ("unless", "except") and not _kept_as_exception(sentence, found, tokens, inside):
            return condition.word
        if condition.word == "only" and not words & _ONLY:
            return "only"
        if named and sum(n in used for n in named) / len(named) < _LEAST_SHARE:
            return condition.word
        if not named and condition.word not in words:
            return condition.word
    return (
        _dropped_age_or_state(sentence, tokens, used)
        or _dropped_degree(sentence, found, tokens, used)
        or _dropped_alone(sentence, tokens, used)
        or _dropped_time(sentence, tokens, used)
        or _dropped_relative(found, tokens, used)
    )


def limits(tokens: Sequence[Token]) -> list[Condition]:
    """What stands right behind people and tells which of them: "adults at increased risk", "women with asthma"."""
    found: list[Condition] = []
    breaks = _breaks(tokens)
    depth = last = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.form, 0)
        # "Adults with A with B" are limited twice.
        limits_people = at > 0 and (at == last or _behind_people(tokens, at))
        if depth > 0 or token.word not in _LIMITING or not limits_people:
            continue
        end = at + 1
        while end < len(tokens) and not (_ends_relative(tokens, end) or tokens[end].word in _LIMIT_ENDS):
            end += 1
        if token.word == "at" and not any(other.word == "risk" for other in tokens[at:end]):
            continue  # "women at 24 weeks" tells when
        last = end
        found.append(Condition(token.word, at, end, _statement_around(tokens, breaks, at)))
    return found


def _ages_and_states(tokens: Sequence[Token]) -> list[Condition]:
    """The ages behind people and the states before them that limit whom a statement is for."""
    found: list[Condition] = []
    breaks = _breaks(tokens)
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.form, 0)
        if depth > 0:
            continue
        state = token.word in _STATES and _before_people(tokens, at)
        if state or (token.age and at > 0 and _behind_people(tokens, at)):
            if any(before.word in _EXAMPLES for before in tokens[max(0, at - _NEAR) : at]):
                continue
            found.append(Condition(token.word, at, at + 1, _statement_around(tokens, breaks, at)))
    return found


def _before_people(tokens: Sequence[Token], at: int) -> bool:
    """Whether what follows a place at once, other words of how they are between, is people."""
    for token in tokens[at + 1 : at + 1 + _NEAR]:
        if _is_people(token):
            return True
        if token.kind is Kind.MARK or token.kind is Kind.FRAME:
            return False
    return False


def _breaks(tokens: Sequence[Token]) -> list[int]:
    return [n for n, token in enumerate(tokens) if token.form in (";", ".")]


def _statement_around(tokens: Sequence[Token], breaks: Sequence[int], at: int) -> range:
    place = bisect_left(breaks, at)
    return range(breaks[place - 1] + 1 if place else 0, breaks[place] if place < len(breaks) else len(tokens))


def _behind_people(tokens: Sequence[Token], at: int) -> bool:
    """Whether people are named right before a place, their age between at most."""
    n = at - 1
    while n >= 0 and (tokens[n].age or tokens[n].word in _ALREADY):
        n -= 1
    return n >= 0 and _is_people(tokens[n])


def _dropped_relative(found: Match, tokens: Sequence[Token], used: set[int]) -> str | None:
    """Said in quite other words a clause may be there; where not one of its words is, it was left out.

    What the title says of all the people need not be said again.
    """
    titled = {form for form, token in found.statement.context.items() if token.heading}
    for clause in (*relatives(tokens), *limits(tokens)):
        inside = range(clause.start, clause.end)
        governed = {
            tokens[n].form for n in clause.governs if n not in inside and tokens[n].kind in _NAMED and n in used
        }
        named = [n for n in inside if tokens[n].kind in _NAMED and tokens[n].form not in governed]
        if not governed or not named or any(n in used for n in named):
            continue
        if clause.word in _LIMITING and all(tokens[n].form in titled for n in named):
            continue
        if not _of_others(tokens, clause, used) and not _explained(tokens, clause):
            return clause.word
    return None


def _dropped_age_or_state(sentence: Sequence[Token], tokens: Sequence[Token], used: set[int]) -> str | None:
    """The age or state of people whom the sentence names, where it names them without.

    "Adults" are more people than "adults aged 50 to 75 years", whatever the title says.
    """
    said = {tokens[n].form for n in used}
    meant = {token.form for token in sentence if _is_people(token)}
    anyone = any(token.word in _PEOPLE for token in sentence)
    aged = any(token.age for token in sentence)
    for limit in _ages_and_states(tokens):
        token = tokens[limit.start]
        if limit.start in used or (aged if token.age else token.form in said):
            continue
        head = _limited(tokens, limit.start)
        named = anyone if head.word in _PEOPLE else head.form in meant
        governed = any(n in used and tokens[n].kind in _NAMED for n in limit.governs)
        # "Children and adolescents aged 5 to 17": who names the second group means it.
        second = _of_a_second_group(tokens, limit, head.form if head.form in meant else None)
        if named and governed and not second and not _means_the_next(tokens, limit, head, used):
            return token.word
    return None


def _dropped_degree(sentence: Sequence[Token], found: Match, tokens: Sequence[Token], used: set[int]) -> str | None:
    """How a disorder has to be, where the sentence names the disorder without and the statement never does.

    What the title says of it need not be said again, nor may "severe" be asked of who says "moderate to severe".
    """
    held = {token.word for token in sentence} | {token.word for token in found.statement.context.values()}
    forms = {token.form for token in sentence}
    held |= {token.word for token in tokens if token.form in forms and token.word in _DEGREES}
    bare: set[str] = set()
    limited: dict[str, str] = {}
    for at, token in enumerate(tokens):
        if token.kind is Kind.WORD and at in used:
            if (degree := _degree_before(tokens, at)) is not None:
                limited.setdefault(token.form, degree)
            elif not (at and tokens[at - 1].kind is Kind.WORD):
                bare.add(token.form)
    return next((word for form, word in limited.items() if form not in bare and word not in held), None)


def _degree_before(tokens: Sequence[Token], at: int) -> str | None:
    """The degree right before a word, where it is "recurrent" even in "recurrent lower urinary tract infection"."""
    for n in range(at - 1, max(-1, at - _NEAR), -1):
        if tokens[n].word in _DEGREES:
            return tokens[n].word
        if tokens[n].kind is not Kind.DIRECTION:
            break
    return None


def _dropped_alone(sentence: Sequence[Token], tokens: Sequence[Token], used: set[int]) -> str | None:
    """The "alone" of a drug or test that the sentence names without: "oestrogen alone" is not all oestrogen."""
    if any(token.word in _ALONE for token in sentence):
        return None
    for at, token in enumerate(tokens):
        if token.word == "alone" and at and at - 1 in used and tokens[at - 1].kind is not Kind.FRAME:
            return token.word
    return None


def _dropped_time(sentence: Sequence[Token], tokens: Sequence[Token], used: set[int]) -> str | None:
    """The "before B" or "after B" that stands right behind what the sentence says, and of which it says nothing."""
    said = {token.form for token in sentence}
    for at, token in enumerate(tokens):
        if token.word not in _TIMES or token.form in said:
            continue
        before = next((n for n in range(at - 1, -1, -1) if tokens[n].kind is not Kind.FRAME), None)
        named = _told_of_the_time(tokens, at)
        if before in used and named and not any(n in used or tokens[n].form in said for n in named):
            return token.word
    return None


def _told_of_the_time(tokens: Sequence[Token], at: int) -> list[int]:
    """The places of what is named behind a "before": "before vaginal or caesarean birth", "before treatment with B"."""
    named: list[int] = []
    for n in range(at + 1, len(tokens)):
        if tokens[n].form in _ENDS or (named and tokens[n].word in _TIME_ENDS):
            break
        if tokens[n].kind in _NAMED:
            named.append(n)
    return named


def _means_the_next(tokens: Sequence[Token], limit: Condition, head: Token, used: set[int]) -> bool:
    """Whether the people of an age are named again, limited by what the sentence says: "..., and adults with B"."""
    if not tokens[limit.start].age:
        return False
    ends = range(limit.end, limit.governs.stop - 2)
    at = next((n for n in ends if tokens[n].form == head.form and tokens[n + 1].word in _LIMITING | _RELATIVES), None)
    return at is not None and any(n in used for n in range(at + 2, min(at + 2 + _NEAR, limit.governs.stop)))


def _limited(tokens: Sequence[Token], at: int) -> Token:
    """The people whose age or state stands at a place: before an age, behind a state."""
    places = range(at - 1, -1, -1) if tokens[at].age else range(at + 1, len(tokens))
    return next((tokens[n] for n in places if _is_people(tokens[n])), tokens[at])


def _of_a_second_group(tokens: Sequence[Token], limit: Condition, meant: str | None) -> bool:
    """Whether people are named before, joined to these by "and" or a mark: the sentence may mean those alone.

    It does not where it names these, `meant`, by what no earlier group is named.
    """
    people = [n for n in range(limit.governs.start, limit.start) if _is_people(tokens[n])]
    if tokens[limit.start].age and people:
        # Those whose age it is stand right before it, perhaps in several words ("pregnant women").
        while len(people) > 1 and people[-1] - people[-2] == 1:
            people.pop()
        people.pop()
    if meant is not None and all(tokens[n].form != meant for n in people):
        return False
    return bool(people) and any(
        tokens[n].word == "and" or tokens[n].form in (",", ";") for n in range(people[-1], limit.start)
    )


def _of_others(tokens: Sequence[Token], clause: Condition, used: set[int]) -> bool:
    """Whether a clause is of the second of two sorts of people: "to A, and to B who ...". The sentence may mean A."""
    people = [n for n in range(clause.governs.start, clause.start) if _is_people(tokens[n])]
    if len(people) < 2:
        return False
    first, last = people[-2:]
    before = {(tokens[n].form, tokens[n].measure) for n in range(clause.governs.start, last)}
    told = [n for n in range(last, clause.start) if n in used and tokens[n].kind in _NAMED]
    if any((tokens[n].form, tokens[n].measure) not in before for n in told):
        return False  # it names B
    return any(tokens[n].word == "and" or tokens[n].form in ("and", ",", ";") for n in range(first, last))


def _explained(tokens: Sequence[Token], clause: Condition) -> bool:
    """Whether what follows says the clause again in other words: "who have obesity, defined as ..."."""
    return any(tokens[n].word in ("defined", "meaning") for n in range(clause.end, min(clause.end + 3, len(tokens))))


def _is_people(token: Token) -> bool:
    return token.kind is Kind.POPULATION or token.word in _PEOPLE


def _piece_start(tokens: Sequence[Token], part: int, at: int) -> int:
    """Where the piece begins that a condition follows: behind the last comma, unless nothing else is said there."""
    for n in range(at - 1, part - 1, -1):
        if tokens[n].form == "," and any(tokens[m].kind in _NAMED for m in range(n, at)):
            return n
    return part


def _about_others(tokens: Sequence[Token], condition: Condition, used: set[int]) -> bool:
    """Whether all numbers and drugs before a condition are others than the sentence's."""
    if condition.start in condition.governs:
        return False
    told = [n for n in condition.governs if tokens[n].kind in (Kind.MEASURE, Kind.DRUG)]
    return bool(told) and not any(n in used for n in told)


def _kept_as_exception(sentence: Sequence[Token], found: Match, tokens: Sequence[Token], inside: range) -> bool:
    """Whether the sentence too makes an exception of what the statement makes one of, if it names it at all."""
    there = {id(tokens[n]) for n in inside}
    named = any(id(place) in there for _, places in found.pairs for place in places)
    excepting = lexicon().exceptions
    return not named or any(token.kind in (Kind.NOT, Kind.STOP) or token.word in excepting for token in sentence)
