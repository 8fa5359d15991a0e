"""Must-have statements: an answer that leaves the contraindication out must not be counted as whole."""

from __future__ import annotations

import csv
import io
import lzma

import pytest

from eval.answers.coverage import Agreement, EncoderCoverage, LabelledPair, LexicalCoverage, agreement
from eval.retrieval.sets import benchmarks_folder
from retrieval import HashingEncoder

ANSWER = ("Ivermectin is the oral treatment of scabies.", "It is not safe for children under 15 kg.")


def test_a_statement_counts_where_its_words_and_numbers_are_said() -> None:
    scorer = LexicalCoverage()
    said = scorer.covers(
        ["The oral treatment for scabies is ivermectin", "Permethrin cream is topical", "Not under 25 kg in children"],
        ANSWER,
    )
    assert said == (True, False, False)
    assert scorer.covers(["anything"], ()) == (False,)


def test_nearness_looks_at_the_nearest_sentence() -> None:
    scorer = EncoderCoverage(HashingEncoder(), least=0.6)
    assert scorer.covers(["Ivermectin is the oral treatment of scabies", "Gout is painful"], ANSWER) == (True, False)
    assert scorer.covers(["anything"], ()) == (False,)
    assert scorer.covers([], ANSWER) == ()


def test_agreement_by_hand() -> None:
    class Fixed:
        name = "fixed"

        def covers(self, statements: object, sentences: object) -> tuple[bool, ...]:
            return (next(answers),)

    answers = iter([True, True, False, False])
    pairs = [LabelledPair("s", ("a",), entailed) for entailed in (True, False, False, True)]
    assert agreement(Fixed(), pairs) == Agreement(pairs=4, agreed=0.5, precision=0.5, recall=0.5, kappa=0.0)
    with pytest.raises(ValueError, match="pairs"):
        agreement(Fixed(), [])


def test_the_lexical_scorer_agrees_with_physicians_more_than_chance_would() -> None:
    file = benchmarks_folder() / "k_qa_nli.csv.xz"
    if not file.is_file():
        pytest.skip("the benchmarks' files are not here")
    rows = csv.DictReader(io.StringIO(lzma.decompress(file.read_bytes()).decode()))
    pairs = [LabelledPair(r["claim"], (r["answer"],), r["majority_label"] == "Entailment") for r in rows]
    found = agreement(LexicalCoverage(), pairs)
    assert found.pairs == 399
    assert found.kappa is not None
    assert found.kappa > 0.3, "0.34 in docs/adr/0032"
