"""The gate with and without the scorer on written sentences that were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from agent.evidence import EvidenceBook
from agent.gate import AnswerGate, SecondOpinion, WithheldReason
from agent.gate.entailment import EntailmentScorer
from agent.gate.entailment.adapter import EntailmentFigure
from agent.sentences import DraftSentence
from retrieval import Document, DocumentId, Hit, Passage, PassageId, PassageKind, SourceId
from training.entailment.dataset import premise_of
from training.entailment.deciding import Objected
from training.entailment.sentences import LabelledSentence

#: Says how many of how many are done.
Told = Callable[[int, int], None]


def objections(
    sentences: Sequence[LabelledSentence], scorer: EntailmentScorer, told: Told = lambda _done, _all: None
) -> tuple[Objected, ...]:
    """What the rules object to, by the first statement they name, with what the scorer says of it."""
    found = []
    for number, one in enumerate(sentences, start=1):
        reasons = _objections(one)
        if reasons:
            (log_odds,) = scorer.score(one.sentence, [premise_of(one)])
            found.append(Objected(objections=frozenset(reasons), log_odds=log_odds, faithful=one.faithful))
        told(number, len(sentences))
    return tuple(found)


def figures(
    name: str, sentences: Sequence[LabelledSentence], opinion: SecondOpinion, *, chose: bool
) -> tuple[EntailmentFigure, ...]:
    """The counts of each form of sentence."""
    made = []
    for form in ("close", "other", "wrong_close", "wrong_other"):
        of_form = [one for one in sentences if one.form == form]
        if of_form:
            made.append(
                EntailmentFigure(
                    name=f"{name}, {form.replace('_', ' ')}",
                    pairs=len(of_form),
                    faithful=of_form[0].faithful,
                    chose=chose,
                    withheld_without=_withheld(of_form, None),
                    withheld=_withheld(of_form, opinion),
                )
            )
    return tuple(made)


def _withheld(sentences: Iterable[LabelledSentence], opinion: SecondOpinion | None) -> int:
    return sum(not _shown(one, opinion) for one in sentences)


def _shown(one: LabelledSentence, opinion: SecondOpinion | None) -> bool:
    gate, key = _beside(one, opinion)
    return gate.check(DraftSentence(text=one.sentence, keys=(key,), raw=one.sentence)).shown


def _objections(one: LabelledSentence) -> list[WithheldReason]:
    gate, key = _beside(one, None)
    return [why for why, _ in gate.objections(one.sentence, key)]


def _beside(one: LabelledSentence, opinion: SecondOpinion | None) -> tuple[AnswerGate, str]:
    document = Document(
        id=DocumentId("written"), source=SourceId("written"), title=one.title, publisher="written", region="INT"
    )
    passage = Passage(
        id=PassageId("written/1"),
        document_id=document.id,
        kind=PassageKind.RECOMMENDATION,
        text=f"{one.before} {one.statement}".strip(),
        strength=one.strength,
    )
    book = EvidenceBook("written")
    evidence, _ = book.add(Hit(rank=1, score=1.0, passage=passage, document=document))
    return AnswerGate(book, entailment=opinion), evidence.key
