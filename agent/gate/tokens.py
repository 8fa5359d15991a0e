"""Tokens: what a text is read as, a word, a measure or a mark each, with what the text says of it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.gate.lexicon import Kind
from agent.gate.measures import Measure


@dataclass(slots=True)
class Token:
    """A word, a measure or a mark of a text."""

    kind: Kind
    #: What it is compared by.
    form: str
    #: It in the gate's words, before its root is taken.
    word: str
    place: int
    measure: Measure | None = None
    #: A measure that tells how old.
    age: bool = False
    #: "All twice daily": of what was named, and of no more people.
    before_measure: bool = False
    #: Stands in a title or a heading.
    heading: bool = False
    #: Taken over from the part of the sentence before; said nothing of here.
    carried: bool = False
    #: Odd where the text says no to it.
    denials: int = 0
    #: Denied only by standing behind what is: "avoid A in asthma" says no to A, and of asthma nothing.
    loose: bool = False
    #: What people or things lack: "without A", "who do not have A".
    lacking: bool = False
    #: Said no to by a verb: "do not give A", "A should not be given", "avoid A".
    advised_against: bool = False
    weak: bool = False

    @property
    def denied(self) -> bool:
        """Whether what the text says of this word is a no; two denials are a yes."""
        return self.denials % 2 == 1
