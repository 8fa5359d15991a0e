"""Which of the recommendations found disagree with those that are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations

from agent.disagreements.differing import differences, on_one_point
from agent.disagreements.disagreement import Difference, Disagreement
from agent.disagreements.point import point_of
from retrieval import GuidanceStatus, Hit, PassageKind

#: Disagreements said of one answer; more would bury it.
MOST_DISAGREEMENTS = 3


def disagreements_of(shown: Sequence[tuple[int, Hit]]) -> tuple[Disagreement, ...]:
    """The disagreements among recommendations under their display numbers, those of the first ones first.

    Args:
        shown: display number and hit of every citation, in the order shown.
    """
    found = [
        Disagreement(first=one, second=other, differences=differing)
        for (one, first), (other, second) in combinations(shown, 2)
        if (differing := differences_between(first, second))
    ]
    return tuple(found[:MOST_DISAGREEMENTS])


def opposing(shown: Sequence[Hit], near: Iterable[Hit], most: int = 1) -> tuple[Hit, ...]:
    """Of the hits that were found and are not shown, those that disagree with one that is, best first."""
    held = {hit.passage.id for hit in shown}
    found: list[Hit] = []
    for hit in near:
        if len(found) == most:
            break
        if hit.passage.id not in held and any(differences_between(one, hit) for one in shown):
            found.append(hit)
    return tuple(found)


def differences_between(first: Hit, second: Hit) -> tuple[Difference, ...]:
    """What two hits disagree on; empty unless both are current recommendations of different publishers or regions."""
    if not (_stands(first) and _stands(second)) or _same_origin(first, second):
        return ()
    one, other = (point_of(hit.passage, hit.document.title, hit.document.publisher) for hit in (first, second))
    return differences(one, other) if on_one_point(one, other) else ()


def _stands(hit: Hit) -> bool:
    return hit.passage.kind is PassageKind.RECOMMENDATION and hit.status is not GuidanceStatus.SUPERSEDED


def _same_origin(first: Hit, second: Hit) -> bool:
    ours, theirs = first.document, second.document
    return ours.id == theirs.id or (_name(ours.publisher), ours.region) == (_name(theirs.publisher), theirs.region)


def _name(publisher: str) -> str:
    """A publisher's name, however it is written: "U.S. Task Force" and "US Task Force (USTF)" are one."""
    return "".join(c for c in re.sub(r"\([^()]*\)", "", publisher).casefold() if c.isalnum())
