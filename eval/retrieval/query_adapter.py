"""What the query adapter adds on a question set: the systems `tuned` and `adapted`, query by query."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eval.retrieval.indexed import Report, indexed
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.reranking import Gain, Measure, gain_of
from eval.retrieval.systems import SYSTEMS
from retrieval import Encoder, QueryEncoder, store_backend


def adapted_gain(
    question_set: QuestionSet,
    queries: QueryEncoder,
    encoder: Encoder,
    folder: Path,
    report: Report,
    measure: Measure,
) -> Gain:
    """What the adapter adds to the product's search before its reranker, whatever the set's source.

    Raises:
        RetrievalError: the search or the adapter failed.
    """

    def tell(stage: str, done: int, total: int) -> None:
        report(f"{question_set.name}: {stage}", done, total)

    with indexed(question_set, folder, encoder=encoder, store=store_backend("exact"), report=tell) as found:
        collection = replace(found, adapter=queries)
        without, adapted = (
            tuple(measure(system.search(query.text).passages, query.grades) for query in question_set.queries)
            for system in (SYSTEMS[name](collection) for name in ("tuned", "adapted"))
        )
    return gain_of(adapted, without)
