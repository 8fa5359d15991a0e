"""If these fail, a right answer is trained as wrong, or a text is trained on that must not be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import CorpusEntry, PassageId
from retrieval.reranking import reranked_text
from training.questionset import LibraryWords
from training.reranker import RerankerConfig, TrainingDataError
from training.reranker.dataset import build_groups
from training.reranker.mining import Mined

from .conftest import asked, page, with_hits

_IDS = [PassageId(f"pages/{document}#{number}") for document in range(8) for number in range(3)]
_ALL = frozenset(_IDS)


def texts(words: LibraryWords) -> dict[str, str]:
    return {reranked_text(one.passage): one.passage.id for one in words.located}


def test_an_unjudged_question_has_its_passage_and_hits_of_which_those_of_its_document_are_related(
    words: LibraryWords,
) -> None:
    mined = with_hits(asked("tea?", "pages/0#0"), _IDS)
    ((group,), counts) = build_groups([mined], words, _ALL, RerankerConfig())
    ids = [texts(words)[text] for text in group.passages]
    assert ids[0] == "pages/0#0"
    assert len(set(ids)) == 6
    assert list(group.grades) == [3, *(1 if id.startswith("pages/0#") else 0 for id in ids[1:])]
    # Three of the first eight that are no answer, two of the rest.
    assert len(set(ids[1:]) & set(_IDS[1:9])) == 3
    assert counts == {"groups from written questions": 1, "groups that nothing answers": 0, "pairs": 6}


def test_where_the_first_hits_were_read_each_has_the_grade_it_was_given_and_one_comes_from_far_down(
    words: LibraryWords,
) -> None:
    question = asked(
        "tea?",
        "pages/0#0",
        "pages/5#1",
        partly=["pages/0#1", "pages/2#0", "pages/3#0"],
        others=["pages/0#2", "pages/1#0", "pages/1#1", "pages/1#2"],
    )
    ((group,), counts) = build_groups([with_hits(question, _IDS)], words, _ALL, RerankerConfig())
    graded = dict(zip([texts(words)[text] for text in group.passages], group.grades, strict=True))
    assert {id for id, grade in graded.items() if grade == 3} == {"pages/0#0", "pages/5#1"}
    partly = {id for id, grade in graded.items() if grade == 1}
    assert len(partly) == 2
    assert partly < set(question.partly)
    wrong = {id for id, grade in graded.items() if grade == 0}
    assert len(wrong & set(question.others)) == 2
    (far,) = wrong - set(question.others)
    assert _IDS.index(PassageId(far)) >= RerankerConfig().near_hits
    assert counts["groups of written questions whose first hits were judged"] == 1


def test_a_judged_question_has_its_first_hits_as_wrong_even_of_its_own_document(words: LibraryWords) -> None:
    mined = with_hits(asked("tea?", "pages/0#1", "pages/3#0", origin="judged"), _IDS)
    ((group,), _) = build_groups([mined], words, _ALL, RerankerConfig(negatives=3, far_negatives=0))
    ids = [texts(words)[text] for text in group.passages]
    assert set(ids[:2]) == {"pages/0#1", "pages/3#0"}
    assert ids[2:] == ["pages/0#0", "pages/0#2", "pages/1#0"]
    assert group.grades == (3, 3, 0, 0, 0)


def test_of_a_question_that_nothing_answers_every_passage_is_wrong(words: LibraryWords) -> None:
    ((group,), counts) = build_groups([with_hits(asked("?!", origin="real"), _IDS)], words, _ALL, RerankerConfig())
    assert group.grades == (0, 0, 0, 0, 0)
    assert counts["groups that nothing answers"] == 1


def test_what_must_not_be_trained_on_is_left_out_and_counted(words: LibraryWords) -> None:
    mined = [
        with_hits(asked("its answer must not", "pages/0#0"), _IDS),
        with_hits(asked("too few hits", "pages/1#0"), ["pages/1#0", "pages/1#1"]),
        with_hits(asked("for choosing", "pages/1#0", part="dev"), _IDS),
        with_hits(asked("kept", "pages/1#0"), _IDS),
    ]
    groups, counts = build_groups(mined, words, _ALL - {PassageId("pages/0#0")}, RerankerConfig())
    assert [group.question for group in groups] == ["kept"]
    assert counts["questions left out: their answers may not be trained on"] == 1
    assert counts["questions left out: nothing to tell the answer from"] == 1
    with pytest.raises(TrainingDataError, match="index"):
        build_groups(mined[:3], words, frozenset(), RerankerConfig())


def test_a_passage_with_the_words_of_an_answer_is_not_wrong(entries: list[CorpusEntry]) -> None:
    twin = page("pages/twin", "zorblax", "People with zorblax rest near a spoon for 2 days, and painters bring tea.")
    words = LibraryWords([*entries, twin])
    mined = with_hits(asked("tea?", "pages/0#0", origin="judged"), ["pages/twin#0", *_IDS])
    ((group,), _) = build_groups([mined], words, _ALL | {PassageId("pages/twin#0")}, RerankerConfig())
    assert group.passages.count(group.passages[0]) == 1


def test_a_passage_that_the_library_lacks_is_said(words: LibraryWords) -> None:
    gone = PassageId("pages/99#0")
    with pytest.raises(TrainingDataError, match="not of this library"):
        build_groups([with_hits(asked("?", "pages/0#0"), [gone, *_IDS])], words, _ALL | {gone}, RerankerConfig())


def test_where_nothing_that_was_read_may_be_trained_on_the_first_hits_are_the_wrong_ones(words: LibraryWords) -> None:
    """A group of the answer alone ended the training."""
    question = asked("tea?", "pages/5#1", origin="written", others=[PassageId("pages/1#0")])
    mined = with_hits(question, [PassageId("pages/0#0"), PassageId("pages/0#1")])
    (group,), _ = build_groups([mined], words, _ALL - {"pages/1#0"}, RerankerConfig())
    assert sorted(group.grades) == [0, 0, 3]


@st.composite
def _mined(draw: st.DrawFn) -> Mined:
    hits = draw(st.lists(st.sampled_from(_IDS), unique=True, max_size=24))
    origin = draw(st.sampled_from(["written", "judged", "real"]))
    least = 1 if origin == "written" else 0
    gold = draw(st.lists(st.sampled_from(_IDS), unique=True, min_size=least, max_size=1 if least else 5))
    rest = [id for id in _IDS if id not in gold]
    read = draw(st.lists(st.sampled_from(rest), unique=True, max_size=8)) if origin == "written" else []
    cut = draw(st.integers(0, len(read)))
    return with_hits(asked("tea?", *gold, origin=origin, partly=read[:cut], others=read[cut:]), hits)  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.lists(_mined(), min_size=1, max_size=6), st.sets(st.sampled_from(_IDS)), st.integers(0, 3))
def test_whatever_is_mined_no_answer_is_wrong_and_only_what_may_is_trained_on(
    words: LibraryWords, mined: list[Mined], trainable: set[PassageId], seed: int
) -> None:
    config = RerankerConfig(seed=seed)
    try:
        groups, counts = build_groups(mined, words, trainable, config)
    except TrainingDataError:
        return
    assert (groups, counts) == build_groups(mined, words, trainable, config)
    known = texts(words)
    left = iter(groups)
    for one in mined:
        gold = set(one.question.gold) & trainable
        others = [id for id, _ in one.hits if id in trainable and id not in one.question.gold]
        if len(others) < 2 or (one.question.gold and not gold):
            continue
        group = next(left)
        graded = dict(zip([known[text] for text in group.passages], group.grades, strict=True))
        assert set(graded) <= trainable
        assert len(graded) == len(group.passages)
        assert {id for id, grade in graded.items() if grade == 3} <= gold
        assert {id for id, grade in graded.items() if grade < 3}.isdisjoint(one.question.gold)
        assert (3 in group.grades) == bool(gold)
    assert next(left, None) is None
