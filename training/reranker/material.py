"""What the models of the search are trained from: the library, questions on it, and what they are kept apart from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from retrieval import PassageId, PredictedQueries
from training.decontamination import Contamination, Evaluated
from training.questions import TrainingQuestion
from training.questionset import DocumentParts, FactFinder, LibraryWords, Part
from training.reranker.passage_questions import PassageQuestion
from training.reranker.questions import RankedQuestion, kept_apart, predicted_questions, ranked_questions
from training.reranker.trainable import held_out_documents, trainable_passages


@dataclass(frozen=True)
class Material:
    """The same for the reranker and the query adapter."""

    words: LibraryWords
    #: Questions from one passage each.
    written: Sequence[PassageQuestion]
    #: Questions about a patient of whom more is told than matters, from one passage each.
    cases: Sequence[PassageQuestion]
    #: What passages are likely to be searched for with; those of trainable passages alone are trained on.
    predicted: PredictedQueries
    #: Written questions whose answers were judged among what a search found.
    judged: Sequence[TrainingQuestion]
    #: Real questions of every part: the documents that answer those of test and dev are not trained on.
    real: Mapping[Part, Sequence[TrainingQuestion]]
    #: What is measured with; no question that one of these asks is trained on.
    evaluated: Sequence[Evaluated]

    def questions(self) -> tuple[tuple[RankedQuestion, ...], Counter[str]]:
        """The questions of train and dev that no evaluated set asks, in a fixed order, and how many others."""
        found = ranked_questions(self.written, self.judged, self.real, self.cases)
        return kept_apart(found, Contamination(self.evaluated))

    def predicted_questions(self, trainable: Collection[PassageId]) -> tuple[tuple[RankedQuestion, ...], Counter[str]]:
        """The predicted queries of trainable passages that no evaluated set asks, and how many others."""
        sources = {
            located.passage.id: located.document.source
            for located in self.words.located
            if located.passage.id in trainable
        }
        return kept_apart(predicted_questions(self.predicted, sources), Contamination(self.evaluated))

    def trainable(self) -> frozenset[PassageId]:
        """The passages that may be trained on.

        Raises:
            SetInvalidError: the guideline questions cannot be read.
        """
        by_part = {**self.real, "train": [*self.real["train"], *self.judged]}
        parts = DocumentParts(self.words, FactFinder(self.words), by_part)
        return trainable_passages(self.words, parts, held_out_documents())
