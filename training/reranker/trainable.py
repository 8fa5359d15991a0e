"""Which passages the reranker and the query adapter may be trained on, as answers and as what is not one."""

from __future__ import annotations

from collections.abc import Collection

from eval.guideline_agent import AgentSet, guideline_agent_questions
from eval.retrieval.sets.guidelines import guideline_questions
from retrieval import DocumentId, PassageId
from training.questionset import DocumentParts, LibraryWords

#: Sets for the agent whose documents are not trained on. Those of `latest` were drawn from all documents, later.
HELD_OUT_SETS: tuple[AgentSet, ...] = ("old", "new", "later")


def held_out_documents() -> frozenset[DocumentId]:
    """Documents that answer, wholly or in part, what the guidelines' test half or one of `HELD_OUT_SETS` asks.

    Those of the guidelines' development half are not among them: that half is no evidence of what is learnt here.
    """
    asked = [question for which in HELD_OUT_SETS for question in guideline_agent_questions(which)]
    tested = [question for question in guideline_questions() if question.split == "test"]
    answers = [answer for question in (*tested, *asked) for answer in question.answers]
    answers += [right.answer for question in asked for right in question.also]
    return frozenset(answer.document_id for answer in answers)


def trainable_passages(
    words: LibraryWords, parts: DocumentParts, held_out: Collection[DocumentId]
) -> frozenset[PassageId]:
    """Passages of documents of the part `train` that nothing replaces and that are not in `held_out`; no codes."""
    return frozenset(
        located.passage.id
        for number, located in enumerate(words.located)
        if words.current(number) and located.document.id not in held_out and parts.of(located.document.id) == "train"
    )
