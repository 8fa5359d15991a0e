"""Matching: what of a sentence one statement of a passage does not say.

Every clinical item of the sentence must stand in the statement, denied or not as there; what it goes on from may only
lend what the statement does not name itself. The problems found are told apart by kind; none found means that the
statement says all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agent.gate.denials import ACTIONS
from agent.gate.lexicon import Kind, lexicon
from agent.gate.measures import Measure, same
from agent.gate.statements import Statement
from agent.gate.tokens import Token
from agent.gate.verdict import WithheldReason as Why

#: Words of direction that open what is to be done.
_CHANGES = frozenset(["0:increase", "0:reduce", "1:start", "1:continue"])
_LEADS = frozenset(["for", "in", "if", "when", "with", "after", "during", "where", "among"])
_NOES = frozenset([Kind.NOT, Kind.STOP])
_SKIPPED = frozenset([Kind.MARK, Kind.FRAME, Kind.NOT, Kind.STOP])
_ADVICE = frozenset(
    ["recommend", "recommends", "recommended", "suggest", "suggests", "suggested", "advise", "advises", "advised"]
)
_PLAINLY = frozenset(["should", "must", "ought"])
#: A "no" of what is advised stands no further behind the advice.
_ADVICE_REACH = 8
_ONE = frozenset(["single", "one-time", "one-off"])
_SINGLE = frozenset([Measure("time", "1"), Measure("dose", "1")])
#: Words of these kinds may be a number of others', and no more than the passage's own words.
_TOLD_BY_WORD = frozenset([Kind.WORD, Kind.DIRECTION])


@dataclass(slots=True)
class Match:
    """How a sentence and a statement fit."""

    statement: Statement
    problems: list[tuple[Why, str]] = field(default_factory=list)
    #: Token of the sentence, and where in the statement it stands.
    pairs: list[tuple[Token, list[Token]]] = field(default_factory=list)
    #: Everyday words that are the sentence's own.
    added: list[str] = field(default_factory=list)
    #: Words taken from what the statement goes on from.
    borrowed: list[Token] = field(default_factory=list)

    @property
    def support(self) -> float:
        """Share of the words that could be wrong which the passage has."""
        held = len(self.pairs) + len(self.borrowed)
        return held / (held + len(self.added)) if held + len(self.added) else 1.0

    def of_heading(self, token: Token) -> bool:
        """Whether a borrowed word stands in the title, which holds for every statement."""
        lent = self.statement.context.get(token.form)
        return lent is not None and lent.heading


def match(sentence: Sequence[Token], statement: Statement) -> Match:
    """How a sentence's tokens and a statement fit, binding, strength and conditions left out."""
    found = Match(statement)
    for token in sentence:
        if token.kind not in _SKIPPED and not (token.kind is Kind.DRUG and _named_with_examples(sentence, token)):
            _find(token, found, sentence)
    _compare_denials(sentence, found)
    _compare_leads(found)
    return found


def _named_with_examples(sentence: Sequence[Token], token: Token) -> bool:
    """Whether a class is only named to introduce its members: "bronchodilators such as salbutamol"."""
    at = next(n for n, other in enumerate(sentence) if other is token)
    return any(other.word == "such" for other in sentence[at + 1 : at + 3]) and any(
        other.kind is Kind.DRUG for other in sentence[at + 1 : at + 6]
    )


def _find(token: Token, found: Match, sentence: Sequence[Token]) -> None:
    statement = found.statement
    if token.kind is Kind.MEASURE and token.measure is not None:
        _find_measure(token, found, sentence)
        return
    places = [item for item in statement.tokens if item.form == token.form]
    if token.kind is Kind.ROUTE:
        places += [item for item in statement.tokens if item.form in lexicon().wider_routes.get(token.form, ())]
    lent = statement.context.get(token.form)
    if (
        places
        and token.kind in _TOLD_BY_WORD
        and lent
        and lent.heading
        and lent.denied == token.denied != places[0].denied
    ):
        if places := [place for place in places if place.denied == token.denied]:
            found.pairs.append((token, places))
        else:
            found.borrowed.append(token)
    elif places:
        found.pairs.append((token, places))
    elif token.kind is Kind.DRUG:
        own = any(item.kind is Kind.DRUG for item in statement.tokens)
        _borrow(
            token,
            found,
            Why.DRUG_NOT_IN_PASSAGE,
            allowed=not own and (token.form in statement.drugs or (lent is not None and lent.heading)),
        )
    elif token.kind is Kind.POPULATION:
        family = lexicon().populations[token.form]
        own = any(
            item.kind is Kind.POPULATION and lexicon().populations[item.form] == family for item in statement.tokens
        )
        of_age = family == "age" and _is_of_age(sentence, token, statement.tokens)
        if own or lent is not None or not of_age:
            _borrow(token, found, Why.POPULATION_DIFFERS, allowed=not own and lent is not None)
    elif token.kind is Kind.ROUTE:
        own = any(item.kind is Kind.ROUTE for item in statement.tokens)
        _borrow(token, found, Why.ROUTE_DIFFERS, allowed=not own and lent is not None)
    elif token.kind is Kind.UNIVERSAL:
        if token.before_measure:
            return
        if not any(item.kind is Kind.UNIVERSAL or item.word in ("any", "each") for item in statement.tokens):
            found.problems.append((Why.WORDS_NOT_IN_PASSAGE, token.word))
    elif token.kind is Kind.DIRECTION:
        family = token.form.partition(":")[0]
        own = any(item.kind is Kind.DIRECTION and item.form.partition(":")[0] == family for item in statement.tokens)
        if not own and (token.form.partition(":")[2] in lexicon().soft_directions or _tells_how_long(sentence, token)):
            found.added.append(token.word)
            return
        _borrow(token, found, Why.WORDS_NOT_IN_PASSAGE, allowed=not own and lent is not None)
    elif lent is not None:
        _borrow(token, found, Why.NEGATION_DIFFERS, allowed=token.denied or not lent.denied)
    elif token.kind is Kind.EVERYDAY:
        found.added.append(token.word)
    else:
        found.problems.append((Why.WORDS_NOT_IN_PASSAGE, token.word))


def _tells_how_long(sentence: Sequence[Token], token: Token) -> bool:
    """Whether a sentence opens with "Continue for 7 days", which tells how long and nothing else."""
    after = [other for other in sentence[1:5] if other.kind is not Kind.FRAME]
    return (
        token is sentence[0]
        and token.form == "1:continue"
        and bool(after)
        and after[0].measure is not None
        and after[0].measure.dimension in ("minutes", "months")
    )


#: Ages in months between which people are called so; where the line is drawn differently, the wider.
_AGES = {"child": (12, 18 * 12), "adult": (18 * 12, 130 * 12)}


def _is_of_age(sentence: Sequence[Token], token: Token, statement: Sequence[Token]) -> bool:
    """Whether people are only named by their age, and all of it: "children aged 3 to 7 years" of "3 - 7 years"."""
    low, high = _AGES.get(token.form, (0, -1))
    at = next(n for n, other in enumerate(sentence) if other is token)
    near = next((other.measure for other in sentence[at + 1 : at + 3] if other.age), None)
    if near is None or near.dimension != "months" or near.comparator or not near.high:
        return False
    if not (near.low.isdigit() and near.high.isdigit() and low <= int(near.low) <= int(near.high) <= high):
        return False
    return any(other.age and other.measure and same(near, other.measure) for other in statement)


def _borrow(token: Token, found: Match, why: Why, *, allowed: bool) -> None:
    if allowed:
        found.borrowed.append(token)
    else:
        found.problems.append((why, token.word))


def _find_measure(token: Token, found: Match, sentence: Sequence[Token]) -> None:
    measure = token.measure
    if measure is None:
        return
    places = [item for item in found.statement.tokens if item.measure and same(measure, item.measure)]
    if not places and measure in _SINGLE and any(item.word in _ONE for item in found.statement.tokens):
        return
    if places and all(item.age for item in places) and _is_duration(sentence, token):
        found.problems.append((Why.NUMBER_NOT_IN_PASSAGE, token.word))
    elif places:
        found.pairs.append((token, places))
    elif not (token.age and any(item.age for item in found.statement.tokens)) and any(
        same(measure, other) for other in found.statement.measures
    ):
        found.borrowed.append(token)
    else:
        # "Hepatitis B" is a name and no number.
        why = Why.WORDS_NOT_IN_PASSAGE if measure.dimension == "label" else Why.NUMBER_NOT_IN_PASSAGE
        found.problems.append((why, token.word))


def _is_duration(sentence: Sequence[Token], token: Token) -> bool:
    """Whether a length of time is told with "for": "for 3 to 7 years" is no age."""
    return not token.age and any(by.word == "for" and other is token for by, other in pairwise(sentence))


def _compare_denials(sentence: Sequence[Token], found: Match) -> None:
    """What the sentence says no to must be what the statement says no to."""
    noes = [token for token in sentence if token.kind in _NOES or token.word == "unless"]
    there = [token for token in found.statement.tokens if token.kind in _NOES or token.word == "unless"]
    if found.statement.warning:
        # A contraindication says no once by standing in their list.
        if len(noes) % 2 != len(there) % 2:
            found.problems.append((Why.NEGATION_DIFFERS, "contraindicated"))
        return
    for token, places in found.pairs:
        if (
            token.kind not in (Kind.UNIVERSAL, Kind.EVERYDAY)
            and not token.carried
            and (
                _lacks_otherwise(token, places)
                or (not token.loose and all(place.denied != token.denied and not place.loose for place in places))
            )
        ):
            found.problems.append((Why.NEGATION_DIFFERS, token.word))
            break
    held = [places for token, places in found.pairs if token.kind not in (Kind.UNIVERSAL, Kind.EVERYDAY)]
    if there and not noes and (turned := _turned(found, held)) is not None:
        found.problems.append((Why.NEGATION_DIFFERS, turned))
    if (given_up := _taken_up(sentence, found.statement.tokens)) is not None:
        found.problems.append((Why.NEGATION_DIFFERS, given_up))
    ours, theirs = _advice(sentence), _advice(found.statement.tokens)
    if len(ours) == len(theirs) == 1 and ours != theirs:
        # Whatever else either denies: one advises what the other advises against.
        found.problems.append((Why.NEGATION_DIFFERS, "recommended"))
    if noes and not there:
        found.problems.append((Why.NEGATION_DIFFERS, noes[0].word))
    if any(token.form.endswith(":insufficient") for token in found.statement.tokens) and not any(
        token.form.endswith(":insufficient") for token in sentence
    ):
        found.problems.append((Why.NEGATION_DIFFERS, "insufficient"))
    if _advises_on_too_little(sentence, found) or _of_another_matter(found):
        found.problems.append((Why.NEGATION_DIFFERS, "insufficient"))
    # "Advises against stopping A" stops what "stopping A is not advised" does; advice itself was compared above.
    stops = {token.denied for token in there if token.kind is Kind.STOP and not token.word.endswith("_against")}
    for token in noes:
        if token.kind is Kind.STOP and not token.word.endswith("_against") and stops and token.denied not in stops:
            found.problems.append((Why.NEGATION_DIFFERS, token.word))


def _lacks_otherwise(token: Token, places: Sequence[Token]) -> bool:
    """Whether what one side only names behind what it says no to is what the people of the other lack."""
    if token.lacking and not token.advised_against:
        return all((place.loose or _plainly_against(place)) and not place.lacking for place in places)
    return (token.loose or _plainly_against(token)) and all(
        place.lacking and not place.advised_against for place in places
    )


def _plainly_against(token: Token) -> bool:
    return token.advised_against and token.denied and not token.loose


def _insufficient(tokens: Sequence[Token]) -> int | None:
    return next((n for n, token in enumerate(tokens) if token.form.endswith(":insufficient")), None)


def _advises_on_too_little(sentence: Sequence[Token], found: Match) -> bool:
    """Whether a sentence advises what a statement only says of that evidence is insufficient."""
    words = {token.word for token in found.statement.tokens}
    if _insufficient(found.statement.tokens) is None or words & _PLAINLY:
        return False
    if sentence and (sentence[0].word in ACTIONS or {token.word for token in sentence} & _PLAINLY):
        return True
    # "Insufficient to recommend A", "recommends neither for nor against A" advise nothing.
    return not words & _ADVICE and any(
        token.word in _ADVICE
        and not token.denied
        and (not at or sentence[at - 1].word != "to")
        and not any(other.word == "against" for other in sentence[at + 1 : at + 4])
        for at, token in enumerate(sentence)
    )


def _of_another_matter(found: Match) -> bool:
    """Whether a sentence says of another thing what a statement says of its own, that evidence is insufficient."""
    tokens = found.statement.tokens
    at = _insufficient(tokens)
    named = [token for token in found.borrowed if token.kind in (Kind.WORD, Kind.DRUG)]
    if at is None or not named:
        return False
    held = {id(place) for _, places in found.pairs for place in places}
    begins = next((n for n in range(at, len(tokens)) if tokens[n].word in ("harms", "against")), at)
    ends = next((n for n in range(begins + 2, len(tokens)) if tokens[n].word == "in"), len(tokens))
    return any(token.kind in (Kind.WORD, Kind.DRUG) and id(token) not in held for token in tokens[begins + 1 : ends])


def _turned(found: Match, held: Sequence[Sequence[Token]]) -> str | None:
    """What a statement says no to and a sentence without a "no" names, or None.

    "Screen adults" of "recommends against screening in adults", though "in adults" alone would be open. Neither who
    advises against it, nor the same word in a title, makes it advised.
    """
    tokens = found.statement.tokens
    against = next((token for token in tokens if token.word.endswith("_against")), None)
    told = [place for places in held for place in places if against is None or place.place > against.place]
    if told and all(place.denied for place in told):
        return told[0].word
    if against is None:
        return None
    lent = {token.form for token in found.borrowed if found.of_heading(token)}
    return next((token.word for token in tokens if token.form in lent and token.denied and not token.loose), None)


def _taken_up(sentence: Sequence[Token], statement: Sequence[Token]) -> str | None:
    """What a statement only names with "cessation" and the sentence without it, or any other word for it."""
    if any(token.word == "cessation" or token.kind in _NOES for token in sentence):
        return None
    ends = [after.word == "cessation" for after in statement[1:]] + [False]
    ended = {token.form for token, end in zip(statement, ends, strict=False) if end}
    ended -= {token.form for token, end in zip(statement, ends, strict=False) if not end}
    return next((token.word for token in sentence if token.form in ended), None)


def _advice(tokens: Sequence[Token]) -> set[bool]:
    """Whether a text recommends, advises against, or both; empty where it does neither in so many words."""
    found = set()
    for at, token in enumerate(tokens):
        if token.word.endswith("_against"):
            found.add(False)
        elif token.word in _ADVICE and not token.heading:
            behind = tokens[at + 1 : at + 1 + _ADVICE_REACH]
            end = next((n for n, other in enumerate(behind) if other.kind is Kind.MARK), len(behind))
            noes = {other.kind for other in behind[:end]} & _NOES
            # "Recommends not using", "recommended that A is not used"; "advised to avoid" may be either.
            found |= {True, False} if Kind.STOP in noes else {not token.denied and not noes}
    return found


def takes_warning_for_advice(sentence: Sequence[Token], parts: Sequence[Statement]) -> bool:
    """Whether a sentence without a "no" names what the passage names as a contraindication and nowhere else."""
    if any(token.kind in _NOES or token.word in lexicon().exceptions for token in sentence):
        return False
    elsewhere = {token.form for part in parts if not part.warning for token in (*part.tokens, *part.context.values())}
    warned = {token.form for part in parts if part.warning for token in part.tokens if token.kind is Kind.WORD}
    return any(token.form in warned - elsewhere for token in sentence)


def _compare_leads(found: Match) -> None:
    """A statement that opens with whom it is for lends nothing from before to a sentence that leaves them out."""
    lent = [token for token in found.borrowed if token.kind in (Kind.WORD, Kind.POPULATION, Kind.MEASURE)]
    tokens = found.statement.tokens
    if not tokens or tokens[0].word not in _LEADS:
        return
    lead: list[Token] = []
    limit = False
    for token in tokens[1:]:
        if token.form == "," or token.kind is Kind.STOP or token.word in ACTIONS or token.form in _CHANGES:
            break
        limit = limit or (token.measure is not None and bool(token.measure.comparator) and not token.age)
        if token.kind not in (Kind.MARK, Kind.FRAME, Kind.NOT):
            lead.append(token)
    held = {id(place) for _, places in found.pairs for place in places}
    if (lent or limit) and lead and not any(id(token) in held for token in lead):
        found.problems.append((Why.CONDITION_DROPPED, tokens[0].word))
