"""A question as rules read it: sentences of plain words, whatever was done to their letters.

A rule that is avoided with a full-width letter or a digit for a vowel protects nobody, and one that finds "kill" in
"skill" blocks a question. So words are whole, and letters are what they look like. What comes out is for matching
alone; it is never shown, searched or recorded.
"""

from __future__ import annotations

import re
import unicodedata

# Letters of other scripts that look like Latin ones; read as those only inside a word that has Latin letters too.
_LOOKALIKES = str.maketrans("авеԁһікмпорсѕтухјԛԝαβεικνορτυχ", "abedhikmnopcstyxjqwabeiknoptux")
_LATIN = re.compile("[a-z]")
_MIXED = re.compile("[\u0370-\u04ff\u0500-\u052f]")
#: Signs that stand for letters, only between letters: "k1ll", not "vitamin b12".
_SIGNS = str.maketrans("013457@$!", "oieastasi")
_SIGN_INSIDE = re.compile(r"(?<=[^\W\d_])[013457@$!](?=[^\W\d_])")
_APOSTROPHE = re.compile(r"(?<=\w)['’‘`´ʼ](?=\w)")
#: Four letters or more that stand alone: "k i l l", "k.i.l.l". A wider gap begins the next word.
_SPELT_OUT = re.compile(r"(?<!\w)[a-z](?:[ .*_-][a-z](?!\w)){3,}")
#: A line break inside a paragraph ends no sentence, and neither does the point of a number.
_SENTENCE_END = re.compile(r"[.?!;。؟।]+(?=\s|$|[\"'”’)])|\n\s*\n")
_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+")


def plain_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a question; in each, every word stands between single spaces: " how do i kill "."""
    return tuple(f" {' '.join(words)} " for part in _SENTENCE_END.split(_plain(text)) if (words := _words(part)))


def plain_words(text: str) -> str:
    """The same for a phrase of a rule: without sentences, and without spaces around it."""
    return " ".join(_words(_plain(text)))


def _plain(text: str) -> str:
    """In lower case, without accents, joiners and hidden characters; compatibility forms and signs read as letters."""
    kept = (c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    plain = _APOSTROPHE.sub("", "".join(kept).casefold())
    plain = _SPELT_OUT.sub(lambda found: re.sub(r"[^a-z]", "", found.group()), plain)
    return _SIGN_INSIDE.sub(lambda found: found.group().translate(_SIGNS), plain)


def _words(part: str) -> list[str]:
    return [_latin(word) for word in _WORD.findall(part)]


def _latin(word: str) -> str:
    return word.translate(_LOOKALIKES) if _MIXED.search(word) and _LATIN.search(word) else word
