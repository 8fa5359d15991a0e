"""The guideline questions: a mark that points at another recommendation makes every figure wrong.

The publishers' files are read where they are; the texts below are made up.
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.guideline_agent import guideline_agent_questions
from eval.retrieval.errors import SetInvalidError, SetMissingError
from eval.retrieval.sets import corpora_folder
from eval.retrieval.sets.guidelines import (
    CORPORA,
    AnswerMark,
    Finder,
    GuidelineQuestion,
    fingerprints,
    guideline_questions,
    read_guidelines,
)
from retrieval import (
    CorpusEntry,
    CutLimits,
    Document,
    DocumentId,
    EstimatedCounter,
    Library,
    Passage,
    PassageId,
    PassageKind,
    SourceId,
    add_paths,
)

QUESTIONS = guideline_questions()
# Other cuts than the packaged encoder's, so that marks are shown not to depend on them.
LIMITS = CutLimits(EstimatedCounter())


def entry(*texts: str) -> CorpusEntry:
    document = Document(
        id=DocumentId("a/1"), source=SourceId("guidelines"), title="Gout", publisher="made up", region="INT"
    )
    passages = tuple(
        Passage(id=PassageId(f"a/1#{number}"), document_id=document.id, kind=PassageKind.NARRATIVE, text=text)
        for number, text in enumerate(texts)
    )
    return CorpusEntry(document=document, passages=passages)


def mark(text: str, words: int, *, document: str = "a/1") -> AnswerMark:
    return AnswerMark(document_id=DocumentId(document), grade=2, words=words, sha256=fingerprints(text, words)[0])


def test_a_marked_passage_is_found_wherever_the_cuts_fall() -> None:
    """Another reader version joins or splits passages, changes case and punctuation, and keeps the words."""
    answer = mark("Give colchicine, 500 micrograms", 4)
    whole = Finder([entry("Rest the joint.", "First: GIVE colchicine 500\nmicrograms; then review.")])
    assert [passage.id for passage in whole.passages(answer)] == ["a/1#1"]
    repeated = Finder([entry("Give colchicine 500 micrograms.", "Summary: give colchicine 500 micrograms.", "Rest.")])
    assert [passage.id for passage in repeated.passages(answer)] == ["a/1#0", "a/1#1"]
    assert Finder([entry("Give colchicine 250 micrograms.")]).passages(answer) == ()
    assert whole.passages(mark("Give colchicine, 500 micrograms", 4, document="a/2")) == ()


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12), st.integers(1, 12))
def test_a_run_of_words_has_one_fingerprint_for_every_place_it_can_begin(words: list[str], length: int) -> None:
    runs = [words[start : start + length] for start in range(len(words) - length + 1)]
    found = fingerprints(" -".join(words), length)
    assert len(found) == len(runs)
    assert all((a == b) == (x == y) for a, x in zip(found, runs, strict=True) for b, y in zip(found, runs, strict=True))


def test_halves_share_no_document_and_are_of_a_size() -> None:
    """Tuned on one half, a figure on the other must not be about the same guidelines."""
    documents = {
        split: {answer.document_id for question in QUESTIONS if question.split == split for answer in question.answers}
        for split in ("dev", "test")
    }
    assert documents["dev"] & documents["test"] == set()
    sizes = Counter(question.split for question in QUESTIONS)
    assert sum(sizes.values()) >= 200
    assert abs(sizes["dev"] - sizes["test"]) <= 0.1 * sum(sizes.values())


def test_every_question_is_asked_once_and_has_an_answer_from_its_corpus() -> None:
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)
    assert len({" ".join(question.question.casefold().split()) for question in QUESTIONS}) == len(QUESTIONS)
    for question in QUESTIONS:
        direct = [answer for answer in question.answers if answer.grade == 2]
        assert any(answer.document_id.startswith(f"{question.corpus}/") for answer in direct), question.id


@pytest.mark.parametrize("line", ["not json", '{"id": "a"}', '{"id": "a", "question": "b", "answers": []}'])
def test_a_damaged_question_file_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "questions.jsonl"
    good = GuidelineQuestion(id="q", question="?", split="dev", corpus="ngc", answers=(mark("a b", 2),))
    path.write_text(f"{good.model_dump_json()}\n{line}\n", encoding="utf-8")
    with pytest.raises(SetInvalidError, match=r"questions\.jsonl line 2"):
        guideline_questions(path)
    with pytest.raises(SetInvalidError, match=r"absent\.jsonl cannot be read"):
        guideline_questions(tmp_path / "absent.jsonl")


def test_corpora_that_are_absent_or_damaged_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SetMissingError, match="set CLINSEARCH_CORPORA to its folder"):
        read_guidelines(tmp_path)
    for name in ("ngc_open.tar.xz", "uspstf_2024.json.xz"):
        (tmp_path / name).write_bytes(b"not an archive")
    with pytest.raises(SetInvalidError, match=r"ngc_open\.tar\.xz cannot be read"):
        read_guidelines(tmp_path)


NGC = """<Version><Section>
<Field FieldID="161" Name="Guideline Title"><FieldValue Value="Gout care"/></Field>
<Field FieldID="151" Name="Major Recommendations"><FieldValue Value="&lt;p&gt;Offer rest.&lt;/p&gt;"/></Field>
</Section></Version>"""
ADVICE = "Screen adults for made up gout once a year."
USPSTF = {
    "specificRecommendations": [{"id": 1, "grade": "B", "general": "9", "text": ADVICE, "ageRange": [18, 999]}],
    "generalRecommendations": {"9": {"title": "Gout: Screening", "topicYear": 2020, "rationale": "<p>Why.</p>"}},
}


def corpora(folder: Path) -> Path:
    with tarfile.open(folder / "ngc_open.tar.xz", "w:xz") as tar:
        member = tarfile.TarInfo("ngc/ngc-1.xml")
        member.size = len(NGC.encode())
        tar.addfile(member, io.BytesIO(NGC.encode()))
    (folder / "uspstf_2024.json.xz").write_bytes(lzma.compress(json.dumps(USPSTF).encode()))
    return folder


def question(name: str, split: str, *answers: AnswerMark) -> GuidelineQuestion:
    return GuidelineQuestion.model_validate(
        {"id": name, "question": f"gout {name}?", "split": split, "corpus": "uspstf", "answers": answers}
    )


def test_a_half_searches_both_corpora_and_judges_what_is_found(tmp_path: Path) -> None:
    """Files as the publishers lay them out: the whole way from file to judgement is walked."""
    path = tmp_path / "questions.jsonl"
    lost = mark("no such words", 3, document="uspstf/9")
    rows = [question("q", "dev", mark(ADVICE, 5, document="uspstf/9"), lost), question("r", "test", lost)]
    path.write_text("\n".join(row.model_dump_json() for row in rows), encoding="utf-8")
    found = read_guidelines(corpora(tmp_path), split="dev", questions=path)
    assert (found.name, found.relevant_from, [query.id for query in found.queries]) == ("guidelines-dev", 2, ["q"])
    assert list(found.queries[0].grades.values()) == [2]
    assert found.left_out == {"answers whose passage was not found": 1}
    assert {entry.document.id for entry in found.entries} == {"ngc/1", "uspstf/9"}


@pytest.mark.slow
def test_every_answer_is_found_in_the_publishers_files(tmp_path: Path) -> None:
    """A reader or a cutting rule that loses a marked recommendation would lower every figure."""
    if not corpora_folder().is_dir():
        pytest.skip("the corpora are not there (CLINSEARCH_CORPORA)")
    entries = read_corpora(tmp_path)
    finder = Finder(entries)
    found = [len(finder.passages(answer)) for question in QUESTIONS for answer in question.answers]
    assert found.count(0) == 0
    # The rest repeat a recommendation in the same document word for word.
    assert found.count(1) >= 0.97 * len(found)
    dates = {entry.document.id: entry.document.published for entry in entries}
    for asked in guideline_agent_questions():
        (answer,) = asked.answers
        (passage,) = finder.passages(answer)
        assert passage.kind is PassageKind.RECOMMENDATION
        assert (passage.strength, (dates[answer.document_id] or "")[:4]) == (asked.strength, str(asked.year)), asked.id


def read_corpora(folder: Path) -> tuple[CorpusEntry, ...]:
    with Library(folder / "library.sqlite") as library:
        assert all(list(add_paths([corpora_folder() / name for name in CORPORA], library, LIMITS)))
        return tuple(library.entries())


def test_the_agents_questions_are_ten_of_the_test_half_over_both_corpora() -> None:
    """Asked of the agent as a check, they must not have been tuned on."""
    known = {question.id: question for question in QUESTIONS}
    asked = guideline_agent_questions()
    assert len(asked) == 10
    assert {question.corpus for question in asked} == {"ngc", "uspstf"}
    for question in asked:
        same = known[question.id]
        assert (question.question, question.split, same.split) == (same.question, "test", "test")
        assert {(mark.document_id, mark.grade) for mark in question.answers} <= {
            (mark.document_id, mark.grade) for mark in same.answers
        }
