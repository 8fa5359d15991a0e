"""If these fail, the scorer learns to tell word order instead of what is said, or learns from what tests it."""

from __future__ import annotations

import pytest

from agent.gate.entailment import premise
from retrieval import PassageId
from training.entailment import EntailmentConfig, LabelledSentence, training_pairs
from training.entailment.sentences import Form, Part
from training.errors import TrainingDataError

STATEMENT = "Offer zorblaxin 500 mg twice daily to adults with quibbling."


def four(statement: str = STATEMENT, part: Part = "train", title: str = "Quibbling") -> list[LabelledSentence]:
    forms: dict[Form, tuple[str, str]] = {
        "close": ("close", statement.replace("Offer zorblaxin", "Zorblaxin is offered,")),
        "other": ("other", f"In other words: {statement.split()[1]}, 500 mg." if "500" in statement else "Do without."),
        "wrong_close": ("population", statement.replace("adults", "children")),
        "wrong_other": ("action", "Zorblaxin is withheld from grown-ups."),
    }
    return [
        LabelledSentence(
            sentence=sentence,
            title=title,
            before="",
            statement=statement,
            strength=None,
            form=form,
            kind=kind,
            part=part,
            passage=PassageId("p"),
        )
        for form, (kind, sentence) in forms.items()
    ]


def test_what_a_wrong_sentence_changes_is_put_into_the_faithful_one_too() -> None:
    pairs, counts = training_pairs(four(), EntailmentConfig(verbatim_share=1, number_share=0, elsewhere_share=0))
    changed = [pair for pair in pairs if pair.sentence.startswith("Zorblaxin is offered,") and not pair.entailed]
    assert [pair.sentence for pair in changed] == [
        "Zorblaxin is offered, 500 mg twice daily to children with quibbling."
    ]
    assert counts["a wrong one's change put into a faithful one"] == 1
    assert [pair.entailed for pair in pairs if pair.sentence == STATEMENT] == [True]


def test_another_number_is_a_wrong_sentence() -> None:
    pairs, _ = training_pairs(four(), EntailmentConfig(verbatim_share=0, number_share=1, elsewhere_share=0))
    altered = [pair for pair in pairs if "500" not in pair.sentence and "mg" in pair.sentence]
    assert len(altered) == 2
    assert not any(pair.entailed for pair in altered)


def test_beside_another_statement_of_the_document_nothing_is_entailed() -> None:
    other = "Withhold marnitol from weavers who sing."
    pairs, counts = training_pairs(
        [*four(), *four(other)], EntailmentConfig(verbatim_share=0, number_share=0, elsewhere_share=1)
    )
    assert counts["beside another statement"] == 4
    beside = premise("Quibbling", "", other)
    assert not any(pair.entailed for pair in pairs if pair.premise == beside and "500" in pair.sentence)


def test_only_the_part_train_is_learnt_from() -> None:
    taught = four(part="calibration") + four(part="dev") + four(part="test")
    with pytest.raises(TrainingDataError, match="corpus add"):
        training_pairs(taught, EntailmentConfig())
    pairs, counts = training_pairs([*four(), *taught], EntailmentConfig())
    assert counts["written, faithful"] == 2
    assert len(pairs) < 12


def test_the_same_sentences_make_the_same_pairs() -> None:
    assert training_pairs(four(), EntailmentConfig()) == training_pairs(four(), EntailmentConfig())
