"""The gate on pairs of sentence and passage. If these fail, an altered dose reaches a clinician with a citation.

`eval/gate_pairs.jsonl` was written for this project, by language models: nothing in it is guidance, and half of its
sentences are wrong on purpose. Half of the passages (`dev`) were looked at while the gate's rules were written.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agent.evidence import EvidenceBook
from agent.gate import AnswerGate
from agent.sentences import DraftSentence
from tests.agent.conftest import document, hit

PAIRS = Path(__file__).parents[2] / "eval" / "gate_pairs.jsonl"
FAITHFUL = ("close", "paraphrase")


@cache
def pairs() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in PAIRS.read_text("utf-8").splitlines())


@cache
def withheld() -> frozenset[str]:
    """Ids of the pairs whose sentence the gate withholds."""
    found = set()
    for pair in pairs():
        passage = pair["passage"]
        made = hit(passage["text"], strength=passage.get("strength"))
        titled = document("made").model_copy(update={"title": passage["title"]})
        book = EvidenceBook("pairs")
        evidence, _ = book.add(made.model_copy(update={"document": titled}))
        verdict = AnswerGate(book).check(DraftSentence(pair["sentence"], (evidence.key,), pair["sentence"]))
        if not verdict.shown:
            found.add(pair["id"])
    return frozenset(found)


def test_the_table_is_half_faithful_and_half_altered_in_one_detail_of_every_kind() -> None:
    kinds = Counter(pair["kind"] for pair in pairs())
    assert len(pairs()) >= 300
    assert len({pair["id"] for pair in pairs()}) == len(pairs())
    assert sum(pair["shown"] for pair in pairs()) * 2 == len(pairs())
    assert kinds["paraphrase"] == kinds["close"]
    assert min(kinds.values()) >= 18
    numbers = [pair for pair in pairs() if pair["kind"] in ("dose", "frequency", "duration")]
    assert sum(pair.get("elsewhere", False) for pair in numbers) >= len(numbers) / 2


def test_altered_sentences_are_withheld() -> None:
    altered = [pair["id"] for pair in pairs() if not pair["shown"]]
    assert len(withheld().intersection(altered)) >= 0.97 * len(altered)


@pytest.mark.parametrize(
    "kind",
    sorted({"dose", "unit", "frequency", "duration", "comparator", "negation", "population", "strength", "drug"}),
)
def test_no_kind_of_alteration_is_a_hole(kind: str) -> None:
    altered = [pair["id"] for pair in pairs() if pair["kind"] == kind]
    assert len(withheld().intersection(altered)) >= len(altered) - 2


def test_what_keeps_to_the_wording_is_mostly_shown() -> None:
    """One in six is withheld: far from the one in twenty that is wanted (docs/adr/0021)."""
    close = [pair["id"] for pair in pairs() if pair["kind"] == "close"]
    assert len(withheld().intersection(close)) <= 0.17 * len(close)
