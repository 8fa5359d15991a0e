"""Which part the documents of a library belong to, for whatever is trained on them or tested with them.

One rule for all: what a model learns from lies in documents of the part `train`, whoever teaches it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

from retrieval import DocumentId, PassageId
from training.questions import TrainingQuestion
from training.questionset.facts import FactFinder
from training.questionset.library_words import LibraryWords
from training.questionset.splitting import Splitting
from training.questionset.terms import PARTS, Part


class DocumentParts:
    """Parts of documents: those on one condition, or with nearly the same recommendation, are in one."""

    def __init__(
        self,
        words: LibraryWords,
        finder: FactFinder,
        questions: Mapping[Part, Sequence[TrainingQuestion]],
        *,
        seed: int = 0,
        held_for_test: Collection[PassageId] = (),
    ) -> None:
        """Assign every document.

        Args:
            questions: real and written ones by part; the documents of their gold are of that part, and of `test`
                before `dev` before `train` where several parts ask of one.
            held_for_test: passages of evaluation sets, whose documents are of the test part.
        """
        self._words = words
        self._clusters = finder.clusters
        of_gold = {part: self._clusters_of(questions.get(part, ())) for part in PARTS}
        held = {cluster for id in held_for_test if (cluster := self._cluster(id)) is not None}
        #: Of clusters, by the name of their first document.
        self.splitting = Splitting(seed, test=of_gold["test"] | held, dev=of_gold["dev"], train=of_gold["train"])
        self.of = cache(self._of)

    def of_gold(self, question: TrainingQuestion) -> set[Part]:
        """The parts that the gold passages of a question lie in; none where the library holds none of them."""
        return {self.splitting.part(cluster) for cluster in self._clusters_of((question,))}

    def _of(self, document: DocumentId) -> Part:
        return self.splitting.part(str(self._clusters.of(document)))

    def _clusters_of(self, questions: Sequence[TrainingQuestion]) -> set[str]:
        found = (self._cluster(id) for question in questions for id in question.gold)
        return {cluster for cluster in found if cluster is not None}

    def _cluster(self, id: PassageId) -> str | None:
        number = self._words.number(id)
        return None if number is None else str(self._clusters.of(self._words.located[number].document.id))
