"""What may be quoted: only what the gate shows, whole, and nothing that leans on what was left out."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.evidence import Evidence, EvidenceBook
from agent.gate import AnswerGate
from agent.quoting import MAX_QUOTES, grammar, quotable, quotations, worth_quoting
from agent.sentences import SentenceSplitter
from retrieval import Hit, HybridSearcher, SearchRequest
from training.teacher import compose

from ..starter import starter, starter_searcher

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


@pytest.fixture(scope="module")
def searcher() -> HybridSearcher:
    return starter_searcher()


@pytest.fixture(scope="module")
def a_hit(searcher: HybridSearcher) -> Hit:
    return searcher.search(SearchRequest(queries=("asthma",))).hits[0]


def hit_of(hit: Hit, text: str, **fields: Any) -> Hit:
    update = {"text": text, "contraindications": (), **fields}
    return hit.model_copy(update={"passage": hit.passage.model_copy(update=update)})


def literals(text: str) -> list[str]:
    """The quotations of a grammar, read back from it."""
    (line,) = [line for line in text.splitlines() if line.startswith("quote ::=")]
    return [json.loads(literal) for literal in _LITERAL.findall(line)]


def is_allowed(answer: str, offered: list[str]) -> bool:
    """Whether a grammar of these quotations takes an answer."""
    lengths = {0}
    for _ in range(MAX_QUOTES):
        grown = {
            at + len(quote) + bool(at)
            for at in lengths
            for quote in offered
            if answer.startswith(f" {quote}" if at else quote, at)
        }
        if len(answer) in grown:
            return True
        lengths = grown
    return False


def test_every_quotation_of_the_starter_guidelines_is_shown_by_the_gate(searcher: HybridSearcher) -> None:
    """A clinician would otherwise see an answer shrink for no reason that the model could avoid."""
    for condition in ("gout", "asthma", "cystitis", "sepsis", "migraine", "hyperkalaemia"):
        book = EvidenceBook("test")
        gate = AnswerGate(book)
        for hit in searcher.search(SearchRequest(queries=(condition,))).hits:
            evidence, _ = book.add(hit)
            for quotation in quotations(evidence):
                splitter = SentenceSplitter()
                drafts = [*splitter.feed(quotation), *splitter.close()]
                assert drafts
                assert all(draft.keys == (evidence.key,) for draft in drafts)
                assert all(gate.check(draft).shown for draft in drafts), quotation


def test_a_statement_that_leans_on_another_is_quoted_with_it(a_hit: Hit) -> None:
    hit = hit_of(a_hit, "Offer magnesium sulfate once. This does not hold in heart block. Watch the blood pressure.")
    assert quotable(hit) == (
        ("Offer magnesium sulfate once",),
        ("Offer magnesium sulfate once", "This does not hold in heart block"),
        ("Watch the blood pressure",),
    )


@pytest.mark.parametrize(
    "empty",
    [
        "None is required.",
        "Not necessary as such.",
        "What causes bronchial asthma?",
        "These resources address the diagnosis of bronchial asthma: a registry.",
    ],
)
def test_what_says_nothing_without_its_heading_is_not_quoted(a_hit: Hit, empty: str) -> None:
    """ "How is it treated?" must not be answered with "None is required", which stood under "Investigations"."""
    assert quotable(hit_of(a_hit, f"{empty} Give magnesium sulfate once.")) == (("Give magnesium sulfate once",),)


def test_at_most_three_statements_are_quoted_together(a_hit: Hit) -> None:
    hit = hit_of(a_hit, "Give one tablet daily. It is small. It is white. It is bitter.")
    assert [len(chain) for chain in quotable(hit)] == [1, 2, 3]


def test_a_bracket_with_a_number_is_never_left_out_of_a_quotation(a_hit: Hit) -> None:
    """ "(10 mg in adults)" is part of the dose: where the gate refuses the whole, nothing of it is quoted."""
    for chain in quotable(hit_of(a_hit, "Give 5 mg of example (10 mg/kg [see 3] or 10 mg in adults) by mouth.")):
        assert "10 mg" in " ".join(chain)


def test_only_passages_that_hold_most_of_what_was_asked_may_be_quoted(a_hit: Hit) -> None:
    """ "Clarithromycin for impetigo, how long?" must not be answered with its days for a sore throat."""
    texts = (
        "Clarithromycin for a sore throat is given for 5 days.",
        "Clarithromycin for impetigo is given for 7 days.",
        "Flucloxacillin for impetigo is given for 5 days.",
    )
    bare = a_hit.document.model_copy(update={"title": "A guideline"})
    hits = [
        hit_of(a_hit, text, id=f"p#{place}", section=(), synonyms=()).model_copy(update={"document": bare})
        for place, text in enumerate(texts)
    ]
    book = EvidenceBook("test")
    throat, impetigo, other = (book.add(hit)[0] for hit in hits)
    asked = "Clarithromycin for impetigo, how long?"
    assert worth_quoting([[throat, impetigo, other]], asked) == (impetigo,)
    # Where none holds all, the first of each search may be; and any passage, where the question names nothing.
    assert worth_quoting([[throat, other], [other]], asked) == (throat, other)
    assert worth_quoting([[throat, impetigo, other]], "And him?") == (throat,)
    assert worth_quoting([], asked) == ()


def test_a_passage_without_a_statement_to_quote_makes_room_for_the_next(a_hit: Hit) -> None:
    book = EvidenceBook("test")
    empty, full = (
        book.add(hit_of(a_hit, text, id=f"p#{place}"))[0]
        for place, text in enumerate(("None is required.", "Colchicine is given for gout."))
    )
    assert worth_quoting([[empty, full]], "gout?") == (full,)
    assert worth_quoting([[empty]], "gout?") == ()


def test_contraindications_are_one_quotation(a_hit: Hit) -> None:
    hit = hit_of(a_hit, "Give magnesium sulfate.", contraindications=("heart block", "myasthenia gravis"))
    (*_, last) = quotations(Evidence("bcd", hit))
    assert last == "Contraindications: heart block; myasthenia gravis [bcd]."


def test_there_is_no_grammar_without_anything_to_quote(a_hit: Hit) -> None:
    assert grammar([Evidence("bcd", hit_of(a_hit, "Yes."))]) is None


@given(text=st.text(alphabet='ab "\\\n.é|[]', min_size=1, max_size=60))
def test_a_grammar_is_read_back_whatever_a_passage_holds(text: str) -> None:
    """A quotation mark in a guideline must not end a literal, or the server would refuse every answer."""
    hit = hit_of(_ANY, text + " and three words more")
    made = grammar([Evidence("bcd", hit)])
    if made is not None:
        assert literals(made) == list(quotations(Evidence("bcd", hit)))
        assert made.count("\n") == 2


def test_what_the_teacher_writes_is_what_the_grammar_allows(searcher: HybridSearcher) -> None:
    """Else the model would be trained on answers that it can never give."""
    written = 0
    for entry in starter()[:30]:
        hits = searcher.search(SearchRequest(queries=(entry.passages[0].section[0],))).hits[:5]
        book = EvidenceBook("test")
        evidence = [book.add(hit)[0] for hit in hits]
        made = grammar(evidence)
        assert made is not None
        answer = compose(f"{entry.passages[0].section[0]}?", [(item.key, item.hit) for item in evidence[:2]])
        assert is_allowed(answer, literals(made)), answer
        written += bool(answer)
    assert written == 30


_ANY = starter_searcher().search(SearchRequest(queries=("asthma",))).hits[0]
