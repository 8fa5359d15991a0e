"""Splits a streamed answer into sentences with the citation keys that follow them.

A state machine over characters, linear in the text's length: it never looks back further than the
sentence it is building. Keys in square brackets may stand before or after the full stop. Text is
cleaned of control characters and list marks; it is plain text and is never parsed as markup.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from agent.evidence import KEY_LENGTH

_KEY_LIST = re.compile(rf"\[([a-z]{{{KEY_LENGTH}}}(?:\s*[,;]\s*[a-z]{{{KEY_LENGTH}}})*)\]")
#: Any bracket that looks like a reference: it never reaches the client, resolved or not.
_ANY_MARKER = re.compile(r"\s*\[[^\[\]]{0,40}\]")
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)])\s+")
_CLOSERS = "\"'”’)»"
_ENDERS = ".!?。！？؟।"
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|approx|no|dr|st|fig|etc|cf|max|min|hr|hrs|wk|mo|yr|a\.m|p\.m|i\.v|i\.m|s\.c|p\.o)|\b[A-Za-z])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DraftSentence:
    """A sentence as the model wrote it: text without markers, keys in order, each once."""

    text: str
    keys: tuple[str, ...]
    raw: str


class SentenceSplitter:
    """Feed pieces of text, take whole sentences out; `close` gives the rest."""

    def __init__(self) -> None:
        self._buffer: list[str] = []
        self._ended = False  # a sentence ender was seen; only closers, spaces and markers may follow
        self._in_marker = False
        self._word: str = ""  # the current run of non-space characters, to recognise abbreviations

    def feed(self, piece: str) -> list[DraftSentence]:
        """Add a piece of text and return the sentences it completed."""
        return [s for char in piece for s in self._push(char)]

    def close(self) -> list[DraftSentence]:
        """The unfinished rest, if any."""
        return self._flush()

    def _push(self, char: str) -> list[DraftSentence]:
        done: list[DraftSentence] = []
        if self._in_marker:
            self._buffer.append(char)
            self._in_marker = char != "]"
            return done
        if char == "\n":
            return self._flush()  # a new line ends a sentence: lists carry one claim a line
        if self._ended and not (char.isspace() or char == "[" or char in _CLOSERS or char in _ENDERS):
            if self._word and not self._buffer[-1].isspace() and char not in _ENDERS:
                self._ended = False  # "0.5", "www.x.y": the stop was inside a word
            else:
                done = self._flush()
        self._buffer.append(char)
        if char.isspace():
            if self._ended and _ABBREVIATION.search(self._word):
                self._ended = False
            self._word = ""
        else:
            self._word += char
            if char == "[":
                self._in_marker = True
            elif char in _ENDERS:
                self._ended = True
        return done

    def _flush(self) -> list[DraftSentence]:
        raw = "".join(self._buffer).strip()
        self._buffer, self._ended, self._in_marker, self._word = [], False, False, ""
        keys = [key for group in _KEY_LIST.findall(raw) for key in re.split(r"\s*[,;]\s*", group)]
        text = _ANY_MARKER.sub("", _LIST_MARK.sub("", raw))
        text = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())
        text = re.sub(r"\s+([.,;:!?])", r"\1", text)
        if not any(c.isalnum() for c in text):
            return []
        return [DraftSentence(text=text, keys=tuple(dict.fromkeys(keys)), raw=raw)]
