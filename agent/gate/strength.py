"""Strength: a sentence may not say "must" where the passage says "consider", nor "may" where it says "must"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agent.gate.denials import ACTIONS
from agent.gate.lexicon import lexicon
from agent.gate.matching import Match
from agent.gate.tokens import Token

#: These say that something is needed less plainly than "must".
SOFT_MUST = frozenset(["need", "needs", "needed", "required", "requires", "require", "necessary"])
#: A sentence may word what is only suggested with these.
_CAREFUL = frozenset(["can", "option", "options", "choice", "alternative", "alternatively", "try"])
_SUGGESTS = frozenset(
    [
        "consider",
        "considered",
        "considering",
        "may",
        "might",
        "could",
        "suggest",
        "suggests",
        "suggested",
        "conditional",
        "reasonable",
        "optional",
    ]
)
_SUGGESTED = frozenset(["suggest", "suggests", "suggested", "suggestion"])
_RECOMMENDED = frozenset(["recommend", "recommends", "recommended", "recommendation"])
_SUGGESTED_AGAINST = frozenset(
    ["suggest_against", "suggests_against", "suggested_against", "suggesting_against", "suggestion_against"]
)
#: Plain advice against; the reader makes one word of each.
_RECOMMENDED_AGAINST = frozenset(
    [
        *("recommend_against", "recommends_against", "recommended_against", "recommending_against"),
        *("recommendation_against", "advise_against", "advises_against", "advised_against"),
    ]
)
_STRONGLY = "strongly"
_ADVISES = (
    _SUGGESTS | _SUGGESTED | _RECOMMENDED | {"should", "advise", "advised", "advises", "option", "options", "line"}
)
_DEMANDS = frozenset(
    ["require", "requires", "required", "requiring", "demand", "demands", "oblige", "obliges", "insist", "insists"]
)
#: Who advises; none of them can require.
_ADVISERS = frozenset(
    ["uspstf", "work_group", "task_force", "panel", "guideline", "guidelines", "committee", "guidance"]
)
_LEAST_SHARE = 0.5


def strength_problem(sentence: Sequence[Token], found: Match) -> str | None:
    """The word by which the sentence is stronger or weaker than the statement, or None."""
    known = lexicon()
    words = {token.word for token in sentence}
    there = {token.word for token in found.statement.tokens}
    places = [place for _, each in found.pairs for place in each[:1]]
    share = sum(place.weak for place in places) / len(places) if places else 0.0
    advises = any(
        token.word in known.must or token.word in ACTIONS or token.word in _ADVISES for token in found.statement.tokens
    )
    # A grade is that of what is advised, not of what is said beside it.
    weak = (found.statement.graded_weak and advises) or (share >= _LEAST_SHARE and bool(there & _SUGGESTS))
    musts = {token.word for token in sentence if token.word in known.must and not token.denied}
    hard = musts - SOFT_MUST
    must_there = bool(there & known.must)
    if hard and not (must_there or (found.statement.graded_strong and not weak)):
        return min(hard)
    if musts and weak and not must_there:
        return min(musts)
    if weak and not words & (known.weak | _CAREFUL):
        return "should"
    if words & _SUGGESTED and there & _RECOMMENDED and not weak and not there & _SUGGESTED:
        return min(words & _SUGGESTED)
    if (wrong := _other_verb(words, there, weak=weak, strong=found.statement.graded_strong)) is not None:
        return wrong
    option = words & {"option", "options"}
    if option and there & _RECOMMENDED and not weak and not there & (known.weak | {"or", "choose"}):
        return min(option)
    softer = words & known.softening
    firm = any(not lent.weak for t in found.borrowed if (lent := found.statement.context.get(t.form)) is not None)
    if (demand := _demanded(sentence)) is not None and not there & (known.must | _DEMANDS):
        return demand
    if softer and not weak and (firm or not there & (known.weak | {"can"})):
        return min(softer)
    return None


def _other_verb(words: set[str], there: set[str], *, weak: bool, strong: bool) -> str | None:
    """The verb of advising by which a sentence is firmer or less firm than the statement's own, or None.

    It counts for advice against as for advice for: "suggests against" is less than "recommends against".
    """
    firm, soft = there & (_RECOMMENDED | _RECOMMENDED_AGAINST), there & (_SUGGESTED | _SUGGESTED_AGAINST)
    strongly = {word for word in words if word.startswith(_STRONGLY)}
    if "recommendation" in words:
        strongly |= words & {"strong"}
    if strongly and not strong and not any(word.startswith("strong") for word in there):
        return min(strongly)
    if (suggested := words & (_SUGGESTED | _SUGGESTED_AGAINST)) and firm and not soft and not weak:
        return min(suggested)
    # "Recommends considering" is firmer than "suggests considering".
    recommended = words & (_RECOMMENDED | _RECOMMENDED_AGAINST)
    if recommended and soft and not firm and not strong:
        return min(recommended)
    return None


def _demanded(sentence: Sequence[Token]) -> str | None:
    """The word by which who advises is said to require: "the panel requires A" of "the panel recommends A"."""
    for by, token in pairwise(sentence):
        if by.word in _ADVISERS and token.word in _DEMANDS:
            return token.word
    return None
