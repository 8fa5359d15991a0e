"""If splitting is wrong, a citation ends up at the wrong sentence, or a marker on the clinician's screen."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.sentences import DraftSentence, SentenceSplitter


def split(text: str) -> list[DraftSentence]:
    splitter = SentenceSplitter()
    return splitter.feed(text) + splitter.close()


def pairs(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(sentence.text, sentence.keys) for sentence in split(text)]


ANSWER_TEXT = st.text(
    alphabet=st.one_of(st.sampled_from([*"abk .!?[],;\n05\"')-()", "\u202e", "؟", "م"]), st.characters()),
    max_size=120,
)


@given(ANSWER_TEXT, st.lists(st.integers(min_value=1, max_value=9), max_size=60))
@example("Give 0.5 mg [bcd]. Then e.g. stop. [fgh] [jkl]", [1, 2, 3, 4])
def test_the_sentences_do_not_depend_on_how_the_stream_is_cut(text: str, sizes: list[int]) -> None:
    splitter = SentenceSplitter()
    cut: list[DraftSentence] = []
    position = 0
    for size in sizes:
        cut += splitter.feed(text[position : position + size])
        position += size
    cut += splitter.feed(text[position:]) + splitter.close()
    assert cut == split(text)


@given(ANSWER_TEXT)
def test_no_bracket_or_control_character_reaches_the_client(text: str) -> None:
    for sentence in split(text):
        assert not set(sentence.text) & set("[]\n\r\x00\u202e")
        assert sentence.text == sentence.text.strip()
        assert any(c.isalnum() for c in sentence.text)


@given(st.lists(st.from_regex(r"[A-Z][a-z]{2,8}( [a-z]{2,8}){0,3} [a-z]{6,8}", fullmatch=True), min_size=1, max_size=6))
def test_plain_sentences_come_out_one_by_one_with_their_own_key(sentences: list[str]) -> None:
    keys = ["bcd", "fgh", "jkm", "npq", "rst", "vwx"][: len(sentences)]
    expected = [(f"{s}.", (k,)) for s, k in zip(sentences, keys, strict=True)]
    assert pairs(" ".join(f"{s} [{k}]." for s, k in zip(sentences, keys, strict=True))) == expected
    assert pairs(" ".join(f"{s}. [{k}]" for s, k in zip(sentences, keys, strict=True))) == expected


#: How a model may write the keys of a sentence; what is no key beside them is no key.
STYLES = (
    "{s} [{a}][{b}].",
    "{s} [{a}, {b}].",
    "{s} [{a};{b}] .",
    "{s}. [{a}] [{b}]",
    "{s}. [{a} , {b}]",
    "{s} [1][{a}] [source] [{b}].",
    "{s} [[{a}]] [[{b}]].",
    "[{a}] {s} [{b}].",
    "- {s} [{a}] [{b}][{a}].",
    "2) {s} [{a}, {b}].",
    "{s} [AB] [{a}] [abcd] [{b}].",
    "{s} [\u202e] [{a}] [{b}].",
)
KEYS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=3)
WORDS = st.text(alphabet="xyz", min_size=4, max_size=9).map(lambda word: f"Give {word} by mouth")
WRITTEN = st.lists(
    st.tuples(WORDS, st.lists(KEYS, min_size=2, max_size=2, unique=True), st.sampled_from(STYLES)),
    min_size=1,
    max_size=5,
)


@given(WRITTEN)
def test_keys_stay_with_their_sentence_however_they_are_written(written: list[tuple[str, list[str], str]]) -> None:
    """Otherwise a dose is shown with a source that does not give it."""
    text = "\n".join(style.format(s=words, a=keys[0], b=keys[1]) for words, keys, style in written)
    found = split(text)
    assert [(sentence.text.rstrip("."), list(sentence.keys)) for sentence in found] == [
        (words, keys) for words, keys, _ in written
    ]


@given(ANSWER_TEXT)
def test_nothing_is_made_up(text: str) -> None:
    """Every key stands in brackets and every character of a sentence stands in the answer, in this order."""
    at = 0
    for sentence in split(text):
        at = text.index(sentence.raw, at) + len(sentence.raw)
        rest = iter(sentence.raw)
        assert all(char == " " or char in rest for char in sentence.text)
        assert len(set(sentence.keys)) == len(sentence.keys)
        for key in sentence.keys:
            assert re.fullmatch(r"[a-z]{3}", key)
            assert re.search(rf"\[[^\[\]]*\b{key}\b[^\[\]]*\]", sentence.raw)


@given(ANSWER_TEXT, ANSWER_TEXT)
def test_a_new_line_parts_what_stands_before_it_from_what_stands_behind(before: str, after: str) -> None:
    """Otherwise one bad line costs, or borrows, the source of the next."""
    assert split(f"{before}\n{after}") == split(before) + split(after)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Give 0.5 mg once [bcd]. Stop.", [("Give 0.5 mg once.", ("bcd",)), ("Stop.", ())]),
        ("Use e.g. cefalexin here [bcd].", [("Use e.g. cefalexin here.", ("bcd",))]),
        ("Give approx. 5 mg vs. 10 mg [bcd].", [("Give approx. 5 mg vs. 10 mg.", ("bcd",))]),
        ("Give it i.v. at 8 a.m. daily [bcd].", [("Give it i.v. at 8 a.m. daily.", ("bcd",))]),
        ("Two keys [bcd, fgh].", [("Two keys.", ("bcd", "fgh"))]),
        ("Two keys [bcd][fgh][bcd].", [("Two keys.", ("bcd", "fgh"))]),
        ("Two keys [bcd; fgh]. After. [jkm]", [("Two keys.", ("bcd", "fgh")), ("After.", ("jkm",))]),
        ("One. [bcd]Two. [fgh]", [("One.", ("bcd",)), ("Two.", ("fgh",))]),
        ("- One [bcd]\n- Two [fgh]\n", [("One", ("bcd",)), ("Two", ("fgh",))]),
        ("1. One [bcd]\n2. Two [fgh]", [("One", ("bcd",)), ("Two", ("fgh",))]),
        ("Number [1] and word [source].", [("Number and word.", ())]),
        ("Nested [[bcd]] here.", [("Nested here.", ("bcd",))]),
        ('He said "stop." [bcd] Next [fgh].', [('He said "stop."', ("bcd",)), ("Next.", ("fgh",))]),
        ("Really?! [bcd] Yes [fgh].", [("Really?!", ("bcd",)), ("Yes.", ("fgh",))]),
        ("أعط 100 mg الآن [bcd]؟ ثم توقف [fgh].", [("أعط 100 mg الآن؟", ("bcd",)), ("ثم توقف.", ("fgh",))]),
        ("服用 100 mg。[bcd] 停止。[fgh]", [("服用 100 mg。", ("bcd",)), ("停止。", ("fgh",))]),
        ("... [bcd] !!", []),
        ("", []),
    ],
)
def test_sentences_and_their_keys(text: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert pairs(text) == expected


def test_a_marker_that_is_never_closed_neither_shows_nor_swallows_the_next_line() -> None:
    found = pairs("First [bcd\nSecond [fgh].")
    assert found == [("First", ()), ("Second.", ("fgh",))]


def test_a_marker_that_is_never_closed_does_not_swallow_all_that_follows() -> None:
    text = "One [bcd and then a very long text without any closing. " + "More text. " * 10
    assert len(split(text)) >= 10


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, " " * 200_000 + "a", "[" * 200_000, "[a" * 100_000, "a. " * 66_000],
    ids=lambda text: repr(text[:8]),
)
def test_splitting_takes_linear_time(text: str) -> None:
    started = time.perf_counter()
    split(text)
    assert time.perf_counter() - started < 3
