"""Alignment: a sentence that keeps a statement's wording is compared with it word by word, in order.

Most harmful slips keep every word but one. Where a sentence runs along a statement, what stands in the place of another
number, route, group of people or word of direction has been put there, even if it stands elsewhere in the statement.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from difflib import SequenceMatcher
from itertools import pairwise

from agent.gate.lexicon import Kind, lexicon
from agent.gate.measures import same
from agent.gate.strength import SOFT_MUST
from agent.gate.tokens import Token
from agent.gate.verdict import WithheldReason as Why

#: Share of the sentence that must run along the statement.
_LEAST_SHARE = 0.6
#: More words than this in one place are another wording, not a slip.
_MOST_REPLACED = 4
#: Longer texts are not aligned; no sentence of an answer is that long.
_MOST_TOKENS = 400
_WHY = {
    Kind.MEASURE: Why.NUMBER_NOT_IN_PASSAGE,
    Kind.DRUG: Why.DRUG_NOT_IN_PASSAGE,
    Kind.ROUTE: Why.ROUTE_DIFFERS,
    Kind.POPULATION: Why.POPULATION_DIFFERS,
    Kind.DIRECTION: Why.WORDS_NOT_IN_PASSAGE,
    Kind.STOP: Why.NEGATION_DIFFERS,
    Kind.NOT: Why.NEGATION_DIFFERS,
}
#: Families of direction that tell what is done: increase or reduce, start or continue.
_DOES = frozenset(["0", "1"])
_TURNING = frozenset([Kind.STOP, Kind.NOT])


def slip(sentence: Sequence[Token], statement: Sequence[Token]) -> tuple[Why, str] | None:
    """What a sentence has in the place of something else of the statement it runs along, or None."""
    ours = [token for token in sentence if token.kind is not Kind.MARK and not token.carried]
    theirs = [token for token in statement if token.kind is not Kind.MARK]
    opening = {id(token) for mark, token in pairwise(statement) if mark.form in (";", ":", ".")}
    if not ours or max(len(ours), len(theirs)) > _MOST_TOKENS:
        return None
    matcher = SequenceMatcher(None, [_key(token) for token in theirs], [_key(token) for token in ours], autojunk=False)
    codes = matcher.get_opcodes()
    if sum(end - start for code, _, _, start, end in codes if code == "equal") < _LEAST_SHARE * len(ours):
        return None
    # A "may" that stands elsewhere now has not been put in.
    moved = any(token.word in lexicon().weak for code, a, b, _, _ in codes if code != "equal" for token in theirs[a:b])
    own = [token for code, _, _, c, d in codes if code != "equal" for token in ours[c:d]]
    for code, a, b, c, d in codes:
        if code == "equal":
            lost = _lost_its_no(theirs[:a], ours[:c]) or _lost_its_no(ours[:c], theirs[:a])
            # "X is not recommended" has its "no" behind what "recommends against X" has it before.
            if lost and theirs[a].denied != ours[c].denied:
                return Why.NEGATION_DIFFERS, ours[c].word
            for there, here in zip(theirs[a:b], ours[c:d], strict=True):
                if (
                    there.denied != here.denied
                    and not there.loose
                    and not here.loose
                    and here.kind not in (Kind.FRAME, Kind.STOP, Kind.NOT, Kind.UNIVERSAL)
                ):
                    return Why.NEGATION_DIFFERS, here.word
        elif code == "replace" and max(b - a, d - c) <= _MOST_REPLACED:
            found = _replaced(theirs[a:b], ours[c:d], moved=moved)
            if found is not None:
                return found
        if code != "equal" and (found := _condition(theirs, ours, (a, b, c, d), opening, own)) is not None:
            return found
    return None


def _lost_its_no(before: Sequence[Token], instead: Sequence[Token]) -> bool:
    """Whether what two texts share from here on has a "no" right before it in one, and none near it in the other."""
    return bool(before) and before[-1].kind in _TURNING and not any(token.kind in _TURNING for token in instead[-3:])


def _key(token: Token) -> object:
    if token.measure is not None:
        return token.measure
    return token.form if token.kind is not Kind.FRAME else token.word


def _replaced(there: Sequence[Token], here: Sequence[Token], *, moved: bool) -> tuple[Why, str] | None:
    known = lexicon()
    words_there = {other.word for other in there}
    if len(there) == len(here) == 1 and {there[0].word, here[0].word} == {"and", "or"}:
        return Why.WORDS_NOT_IN_PASSAGE, f"{here[0].word} for {there[0].word}"
    for token in here:
        if token.word in known.softening and not moved and not words_there & (known.weak | {"can"}):
            return Why.STRENGTH_DIFFERS, token.word
        if token.word in known.must and token.word not in SOFT_MUST and not words_there & known.must:
            return Why.STRENGTH_DIFFERS, token.word
        for other in there:
            if token.form == other.form and _same_measure(token, other):
                continue
            rivals = token.kind is other.kind
            if token.kind is Kind.DIRECTION and rivals:
                rivals = token.form.partition(":")[0] == other.form.partition(":")[0]
            elif token.kind is Kind.POPULATION and rivals:
                rivals = known.populations[token.form] == known.populations[other.form]
            elif token.kind in _TURNING and other.kind in _TURNING:
                rivals = False
            elif {token.kind, other.kind} == {Kind.STOP, Kind.DIRECTION}:
                # "Stop" for "start" or "increase", but "symptomless" may stand where "advises against" stood.
                rivals = _DOES.issuperset(t.form.partition(":")[0] for t in (token, other) if t.kind is Kind.DIRECTION)
            if rivals and token.kind in _WHY and not _among(token, there) and not _among(other, here):
                return _WHY[token.kind], f"{token.word} for {other.word}"
    return None


def _same_measure(token: Token, other: Token) -> bool:
    if token.measure is None or other.measure is None:
        return token.measure is other.measure
    return same(token.measure, other.measure)


def _among(token: Token, tokens: Sequence[Token]) -> bool:
    return any(token.form == other.form and _same_measure(token, other) for other in tokens)


def _condition(
    theirs: Sequence[Token],
    ours: Sequence[Token],
    places: tuple[int, int, int, int],
    opening: Set[int],
    own: Sequence[Token],
) -> tuple[Why, str] | None:
    """A condition word that was lost or put in where both run on alike on its two sides, or lost from behind them."""
    known = lexicon()
    a, b, c, d = places
    lost = [token.word for token in theirs[a:b] if token.word in known.conditions]
    put = [token.word for token in ours[c:d] if token.word in known.conditions]
    if lost and put and (lost[0] in known.exceptions) != (put[0] in known.exceptions):
        return Why.CONDITION_DROPPED, lost[0]
    if "only" in lost and "only" not in put and not any(token.kind in _TURNING for token in ours[c:d]):
        before = a and c and _key(theirs[a - 1]) == _key(ours[c - 1])
        if before or theirs[a].word == "only":
            return Why.CONDITION_DROPPED, "only"
    # The words right before a trailing condition are the sentence's, and nothing of the condition is.
    opens = theirs[a : a + 1] and id(theirs[a]) in opening
    if (
        theirs[a : a + 1]
        and not opens
        and theirs[a].word in known.conditions
        and a
        and c
        and _key(theirs[a - 1]) == _key(ours[c - 1])
        and not put
    ):
        ends = c == len(ours) or (b < len(theirs) and d == c)
        if ends and not _said(theirs[a:b], own):
            return Why.CONDITION_DROPPED, theirs[a].word
    return None


def _said(condition: Sequence[Token], own: Sequence[Token]) -> bool:
    """Whether most of a condition is said where the sentence does not run along the statement."""
    named = [token for token in condition if token.kind not in (Kind.FRAME, Kind.EVERYDAY)]
    keys = {_key(token) for token in own}
    return bool(named) and sum(_key(token) in keys for token in named) * 2 > len(named)
