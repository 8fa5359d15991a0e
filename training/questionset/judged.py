"""Real questions as lines of the files: their words read from the publishers' files, their gold checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from retrieval import PassageId
from retrieval.tokens import STOP_WORDS, tokenise, words
from training.questions import QuestionKind, TrainingQuestion
from training.questionset.library_words import LibraryWords
from training.questionset.real import RealQuestion, RealQuestionsError, RealText, question_texts
from training.questionset.terms import Part

#: Content words of a good query.
_QUERY_WORDS = 7
_LICENCES = {
    "mediqa_rqe_train": "MEDIQA 2019 training set, questions collected by the US National Library of Medicine",
    "k_qa_questions": "K-QA, as its publisher states",
}
#: A set published to measure with is not trained on.
_TRAINED_ON = frozenset({"mediqa_rqe_train"})
_CHATTY = frozenset(
    (  # noqa: SIM905 - a list of a word a line is harder to read
        "patient patients mg what's who why want wondering know get got give should would could can may might any some "
        "about also more much there's yr yrs year years old has had having been am i'm just really still take taking "
        "use used using ok good best like need"
    ).split()
)


@dataclass(slots=True)
class Judged:
    """Real questions by part, and how many could not be used."""

    questions: dict[Part, list[TrainingQuestion]] = field(default_factory=lambda: {"train": [], "dev": [], "test": []})
    #: Gold passages that the library does not hold.
    unknown_gold: int = 0
    #: Questions left out: none of their gold is held, or their words are in no file.
    left_out: int = 0
    #: Why there are no real questions at all, in one sentence.
    why_none: str | None = None


def judged_questions(rows: Iterable[RealQuestion], folder: Path, library: LibraryWords) -> Judged:
    """Every judged question whose words are in `folder` and whose gold the library holds."""
    found = Judged()
    try:
        texts = question_texts(folder)
    except RealQuestionsError as error:
        found.why_none = f"There are no real questions in this set: {error}"
        return found
    for row in rows:
        text = texts.get(row.question_sha256)
        gold = tuple(id for id in row.gold if id in library)
        found.unknown_gold += len(row.gold) - len(gold)
        if text is None or (row.answerable and not gold):
            found.left_out += 1
            continue
        found.questions[row.split].append(_question(row, text, gold, library))
    return found


def _question(
    row: RealQuestion, text: RealText, gold: tuple[PassageId, ...], library: LibraryWords
) -> TrainingQuestion:
    return TrainingQuestion(
        id=f"real-{row.question_sha256[:16]}",
        question=text.text,
        kind=QuestionKind.ANSWERABLE if row.answerable else QuestionKind.UNANSWERABLE,
        source=row.source,
        gold=gold,
        queries=queries_for(text.text, gold, library),
        split="train" if row.split == "train" else "eval",
        question_source=f"real/{text.file}",
        licence=_LICENCES[text.file],
        training_consent=text.file in _TRAINED_ON,
        real=True,
    )


def queries_for(text: str, gold: tuple[PassageId, ...], library: LibraryWords) -> tuple[str, ...]:
    """A good query in the question's own words, those that its gold says too before the others; none without words."""
    content = [word for word in dict.fromkeys(words(text)) if word not in STOP_WORDS | _CHATTY and len(word) > 1]
    held = [number for id in gold if (number := library.number(id)) is not None]
    said = frozenset().union(*(library.terms(number) for number in held)) if held else frozenset()
    # What the answer says too comes first into the query; the order of the words stays the question's.
    ranked = sorted(content, key=lambda word: not set(tokenise(word)) <= said)
    chosen = set(ranked[:_QUERY_WORDS])
    query = " ".join(word for word in content if word in chosen)
    return (query,) if query else ()
