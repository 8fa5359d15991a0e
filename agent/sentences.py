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
#: Longer than any reference; a bracket that stays open longer is ordinary text.
_MARKER_CHARS = 40
#: Any bracket that looks like a reference, also one that was cut off: it never reaches the client, resolved or not.
_ANY_MARKER = re.compile(rf" ?\[[^\[\]]{{0,{_MARKER_CHARS}}}(?:\]|$)")
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)])\s+")
_LIST_MARK_CHARS = 8
_CLOSERS = "\"'”’)»"
_ENDERS = ".!?。！？؟।۔"
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|approx|no|dr|st|fig|etc|cf|max|min|hr|hrs|wk|mo|yr|a\.m|p\.m|i\.v|i\.m|s\.c|p\.o)|\b[A-Za-z])\.$",
    re.IGNORECASE,
)
#: As much of a word as the longest abbreviation needs: bounds the work per character.
_WORD_CHARS = 16


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
        self._marker_chars: int | None = None  # length of the marker being read, None outside one
        self._word: str = ""  # the current run of non-space characters, to recognise abbreviations

    def feed(self, piece: str) -> list[DraftSentence]:
        """Add a piece of text and return the sentences it completed."""
        return [s for char in piece for s in self._push(char)]

    def close(self) -> list[DraftSentence]:
        """The unfinished rest, if any."""
        return self._flush()

    def _push(self, char: str) -> list[DraftSentence]:
        done: list[DraftSentence] = []
        if char == "\n":
            return self._flush()  # a new line ends a sentence: lists carry one claim a line
        if self._marker_chars is not None:
            self._buffer.append(char)
            open_still = char != "]" and self._marker_chars < _MARKER_CHARS
            self._marker_chars = self._marker_chars + 1 if open_still else None
            return done
        if self._ended and not (char.isspace() or char == "[" or char in _CLOSERS or char in _ENDERS):
            if self._word and not self._buffer[-1].isspace() and self._buffer[-1] != "]":
                self._ended = False  # "0.5", "www.x.y": the stop was inside a word
            else:
                done = self._flush()
        self._buffer.append(char)
        if char.isspace():
            if self._ended and (_ABBREVIATION.search(self._word) or self._is_list_number()):
                self._ended = False
            self._word = ""
        else:
            self._word = (self._word + char)[-_WORD_CHARS:]
            if char == "[":
                self._marker_chars = 0
            elif char in _ENDERS:
                self._ended = True
        return done

    def _is_list_number(self) -> bool:
        """True when all there is so far is "1. "."""
        return len(self._buffer) <= _LIST_MARK_CHARS and _LIST_MARK.fullmatch("".join(self._buffer)) is not None

    def _flush(self) -> list[DraftSentence]:
        raw = "".join(self._buffer).strip()
        self._buffer, self._ended, self._marker_chars, self._word = [], False, None, ""
        keys = [key for group in _KEY_LIST.findall(raw) for key in re.split(r"\s*[,;]\s*", group)]
        text = _LIST_MARK.sub("", raw)
        text = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())
        text = " ".join(_ANY_MARKER.sub("", text).replace("[", "").replace("]", "").split())
        text = re.sub(r" +([.,;:!?])", r"\1", text)
        if not any(c.isalnum() for c in text):
            return []
        return [DraftSentence(text=text, keys=tuple(dict.fromkeys(keys)), raw=raw)]
