"""A sentence as what differs from a statement: the project keeps its own words, and no one else's.

A sentence written near a guideline's wording holds much of it. What is kept is the sentence with every run of the
statement's words replaced by where that run stands; with the statement at hand it can be put together again.

    statement   "Offer A 500 mg twice daily to adults with B."
    sentence    "Adults with B are offered A 500 mg twice daily."
    edits       ["Adults with B are offered", [1, 6]]  (runs of fewer words than `LEAST_RUN` stay words)
"""

from __future__ import annotations

from collections.abc import Sequence

from training.errors import TrainingDataError

#: Words that are the statement's from here on are named by their place.
LEAST_RUN = 3

#: A run of the statement's words, from the first to before the last, or words of the sentence's own.
Edit = tuple[int, int] | str


def edits_of(sentence: str, statement: str) -> tuple[Edit, ...]:
    """The edits that make the sentence of the statement, longest runs first met; white space is not kept apart."""
    ours, theirs = sentence.split(), statement.split()
    found: list[Edit] = []
    own: list[str] = []
    at = 0
    while at < len(ours):
        start, length = _longest_run(ours, at, theirs)
        if length < LEAST_RUN:
            own.append(ours[at])
            at += 1
            continue
        if own:
            found.append(" ".join(own))
            own = []
        found.append((start, start + length))
        at += length
    if own:
        found.append(" ".join(own))
    return tuple(found)


def _longest_run(ours: Sequence[str], at: int, theirs: Sequence[str]) -> tuple[int, int]:
    """Where the statement has the most words from `at` on in a row, and how many; the first such place."""
    best = (0, 0)
    for start in range(len(theirs)):
        length = 0
        while at + length < len(ours) and start + length < len(theirs) and ours[at + length] == theirs[start + length]:
            length += 1
        if length > best[1]:
            best = (start, length)
    return best


def sentence_of(edits: Sequence[Edit], statement: str) -> str:
    """The sentence again.

    Raises:
        TrainingDataError: the statement is shorter than the edits say; it is another one.
    """
    words = statement.split()
    pieces = []
    for edit in edits:
        if isinstance(edit, str):
            pieces.append(edit)
        elif 0 <= edit[0] < edit[1] <= len(words):
            pieces.append(" ".join(words[edit[0] : edit[1]]))
        else:
            raise TrainingDataError("A statement is not the one that the sentence was written from.")
    return " ".join(pieces)
