"""Limits on people: which of those a statement names it is for, told behind them, before them or by their age."""

from __future__ import annotations

from collections.abc import Sequence

from agent.gate.clauses import ENDS, NAMED, Clause, breaks, part_around
from agent.gate.lexicon import Kind
from agent.gate.matching import Match
from agent.gate.tokens import Token

_RELATIVES = frozenset(["who", "whose"])
#: What limits the people it stands behind, and the words at which that ends.
_LIMITING = frozenset(
    (  # noqa: SIM905
        "with without at on receiving taking undergoing born diagnosis identified admission exposed planning "
        "presenting requiring needing"
    ).split()
)
_LIMIT_ENDS = frozenset(
    (  # noqa: SIM905
        "in for to with without at by from on after before during is are offer give use using asymptomatic symptomatic"
    ).split()
)
#: What may stand between people and their limit.
_BETWEEN = frozenset(["aged", "age", "of", "old", "who", "are", "currently", "already"])
#: A state that tells which of the people before whom it stands: "asymptomatic adults".
_STATES = frozenset(
    (  # noqa: SIM905
        "asymptomatic symptomatic pregnant nonpregnant postpartum breastfeeding postmenopausal premenopausal dwelling "
        "institutionalized hospitalized unsensitized unvaccinated immunocompromised immunosuppression "
        "immunocompetent sexually healthy obese overweight ambulatory"
    ).split()
)
#: Whom these name are some of those meant, and may be left out.
_EXAMPLES = frozenset(["including", "include", "includes", "especially", "particularly", "like", "such", "example"])
#: How far before people a state is looked for, and an example's word before a state.
_NEAR = 3
#: "Who have had A and do not have B": two things are said of them.
_HOLDING = frozenset(["do", "does", "have", "has", "had", "are", "is", "were", "was"])
_PEOPLE = frozenset(
    (  # noqa: SIM905
        "people person persons patient patients those individuals groups population populations donor donors "
        "recipient recipients candidate candidates contacts outpatients inpatients"
    ).split()
)
_CLAUSE_ENDS = frozenset(["should", "must", "may", "can", "if", "when", "unless", "because"])


def dropped_limit(sentence: Sequence[Token], found: Match, used: set[int]) -> str | None:
    """The word of a limit of the people whom a sentence names, and that it has not; `used` are the places it says."""
    tokens = found.statement.tokens
    return _dropped_age_or_state(sentence, tokens, used) or _dropped_clause(found, tokens, used)


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
        governed = any(n in used and tokens[n].kind in NAMED for n in limit.governs)
        # "Children and adolescents aged 5 to 17": who names the second group means it.
        second = _of_a_second_group(tokens, limit, head.form if head.form in meant else None)
        if named and governed and not second and not _means_the_next(tokens, limit, head, used):
            return token.word
    return None


def _dropped_clause(found: Match, tokens: Sequence[Token], used: set[int]) -> str | None:
    """Said in quite other words a clause may be there; where not one of its words is, it was left out.

    What the title says of all the people need not be said again.
    """
    titled = {form for form, token in found.statement.context.items() if token.heading}
    for clause in (*_relatives(tokens), *_limits(tokens)):
        inside = range(clause.start, clause.end)
        governed = {tokens[n].form for n in clause.governs if n not in inside and tokens[n].kind in NAMED and n in used}
        named = [n for n in inside if tokens[n].kind in NAMED and tokens[n].form not in governed]
        if not governed or not named or any(n in used for n in named):
            continue
        if clause.word in _LIMITING and all(tokens[n].form in titled for n in named):
            continue
        if not _of_others(tokens, clause, used) and not _explained(tokens, clause):
            return clause.word
    return None


def _relatives(tokens: Sequence[Token]) -> list[Clause]:
    """What a statement says of the people it is for with "who" or "whose"; "and" with a verb begins another."""
    found: list[Clause] = []
    ends = breaks(tokens)
    at = depth = 0
    while at < len(tokens):
        depth += {"(": 1, ")": -1}.get(tokens[at].form, 0)
        # An example in brackets limits nobody.
        if tokens[at].word not in _RELATIVES or depth > 0:
            at += 1
            continue
        governs = part_around(tokens, ends, at)
        end = _relative_end(tokens, at)
        found.append(Clause(tokens[at].word, at, end, governs))
        at = end
        if at + 1 < len(tokens) and tokens[at].word == "and" and tokens[at + 1].word in _HOLDING:
            end = _relative_end(tokens, at + 1)
            found.append(Clause("who", at + 1, end, governs))
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
    return goes_on or joined or token.form in ENDS or token.word in _RELATIVES or token.word in _CLAUSE_ENDS


def _limits(tokens: Sequence[Token]) -> list[Clause]:
    """What stands right behind people and tells which of them: "adults at increased risk", "women with asthma"."""
    found: list[Clause] = []
    ends = breaks(tokens)
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
        found.append(Clause(token.word, at, end, part_around(tokens, ends, at)))
    return found


def _ages_and_states(tokens: Sequence[Token]) -> list[Clause]:
    """The ages behind people and the states before them that limit whom a statement is for."""
    found: list[Clause] = []
    ends = breaks(tokens)
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.form, 0)
        if depth > 0:
            continue
        state = token.word in _STATES and _before_people(tokens, at)
        if state or (token.age and at > 0 and _behind_people(tokens, at)):
            if any(before.word in _EXAMPLES for before in tokens[max(0, at - _NEAR) : at]):
                continue
            found.append(Clause(token.word, at, at + 1, part_around(tokens, ends, at)))
    return found


def _before_people(tokens: Sequence[Token], at: int) -> bool:
    """Whether what follows a place at once, other words of how they are between, is people."""
    for token in tokens[at + 1 : at + 1 + _NEAR]:
        if _is_people(token):
            return True
        if token.kind is Kind.MARK or token.kind is Kind.FRAME:
            return False
    return False


def _behind_people(tokens: Sequence[Token], at: int) -> bool:
    """Whether people are named right before a place, their age between at most."""
    n = at - 1
    while n >= 0 and (tokens[n].age or tokens[n].word in _BETWEEN):
        n -= 1
    return n >= 0 and _is_people(tokens[n])


def _means_the_next(tokens: Sequence[Token], limit: Clause, head: Token, used: set[int]) -> bool:
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


def _of_a_second_group(tokens: Sequence[Token], limit: Clause, meant: str | None) -> bool:
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


def _of_others(tokens: Sequence[Token], clause: Clause, used: set[int]) -> bool:
    """Whether a clause is of the second of two sorts of people: "to A, and to B who ...". The sentence may mean A."""
    people = [n for n in range(clause.governs.start, clause.start) if _is_people(tokens[n])]
    if len(people) < 2:
        return False
    first, last = people[-2:]
    before = {(tokens[n].form, tokens[n].measure) for n in range(clause.governs.start, last)}
    told = [n for n in range(last, clause.start) if n in used and tokens[n].kind in NAMED]
    if any((tokens[n].form, tokens[n].measure) not in before for n in told):
        return False  # it names B
    return any(tokens[n].word == "and" or tokens[n].form in ("and", ",", ";") for n in range(first, last))


def _explained(tokens: Sequence[Token], clause: Clause) -> bool:
    """Whether what follows says the clause again in other words: "who have obesity, defined as ..."."""
    return any(tokens[n].word in ("defined", "meaning") for n in range(clause.end, min(clause.end + 3, len(tokens))))


def _is_people(token: Token) -> bool:
    return token.kind is Kind.POPULATION or token.word in _PEOPLE
