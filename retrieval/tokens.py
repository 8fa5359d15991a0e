"""The tokeniser of BM25: one bag of terms per text, the same for passages and queries.

Steps: compatibility normalisation (NFKC, with the accents of U+0300..U+036F folded, because clinicians
type "Meniere"), case folding, Unicode words, numbers kept whole and apart from their unit ("500mg" ->
"500", "mg"), a short stop list, English Snowball stemming of words in ASCII letters. Scripts written
without spaces (Chinese, Japanese, Thai, ...) give overlapping pairs of characters, as Lucene's CJK
analyser does. Negations ("no", "not", "without") are never dropped.

It must not expand abbreviations or synonyms, and must not depend on the corpus. Any change of its
output needs a new `TOKENISER_VERSION`, which makes existing indexes be rebuilt.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from typing import cast

import Stemmer

TOKENISER_VERSION = "1"

_STOP_TEXT = (
    "a an and are as at be been by can could do does for from had has have how i if in into is it its me my of on or "
    "our should so such than that the their them then there these they this those to was we were what when where "
    "which will would you your"
)
STOP_WORDS = frozenset(_STOP_TEXT.split())

_ACCENTS = re.compile("[\u0300-\u036f]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER_UNIT = re.compile(r"(\d+)([^\W\d_]+)")
_ASCII_WORD = re.compile(r"[a-z']+")

# Scripts that do not put spaces between words: Thai, Lao, Myanmar, Khmer, Japanese kana, Han.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")

_UNSPACED_START = re.compile(f"[{_UNSPACED}]")

# A stemmer keeps state while it works, so each thread has its own.
_local = threading.local()


@cache
def _word_pattern() -> re.Pattern[str]:
    """Letters, digits and combining marks; `re`'s `\\w` leaves the marks out and would split Hindi words."""
    marks = "".join(chr(point) for point in range(0x370, 0x10000) if unicodedata.category(chr(point)) in ("Mn", "Mc"))
    return re.compile(rf"\d+(?:\.\d+)+|(?:[^\W_]|[{re.escape(marks)}])+(?:'[^\W\d_]+)?")


def normalise(text: str) -> str:
    """Case-folded NFKC text without the general accents, typographic apostrophes or thousands separators."""
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
        text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return _THOUSANDS.sub("", unicodedata.normalize("NFKC", text.casefold()))


def _stem(word: str) -> str:
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return cast("str", stemmer.stemWord(word))


def _words_of(word: str) -> list[str]:
    """The words of one match of the word pattern, without stop words."""
    if word[0].isdigit():
        if "." in word:
            return [word.rstrip("0").rstrip(".")] if word.count(".") == 1 else [word]
        if unit := _NUMBER_UNIT.fullmatch(word):
            return [unit[1], *_words_of(unit[2])]
        return [word]
    if word.isascii():
        return [] if word in STOP_WORDS else [word]
    terms = []
    for run in _UNSPACED_RUN.findall(word):
        if len(run) == 1 or not _UNSPACED_START.match(run):
            terms.append(run)
        else:
            terms.extend(run[i : i + 2] for i in range(len(run) - 1))
    return terms


def words(text: str) -> list[str]:
    """Words of `text` as `tokenise` finds them, before stemming."""
    return [word for found in _matches(text) for word in _words_of(found)]


def tokenise(text: str) -> list[str]:
    """Terms of `text` in reading order, repeats kept; empty when it holds only stop words or punctuation."""
    return [
        _stem(word) if found.isascii() and _ASCII_WORD.fullmatch(word) else word
        for found in _matches(text)
        for word in _words_of(found)
    ]


def _matches(text: str) -> list[str]:
    return _word_pattern().findall(normalise(text))
