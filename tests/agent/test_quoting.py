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
from agent.quoting import MAX_QUOTES, Quoted, grammar, quotable, quotations, worth_quoting
from agent.sentences import SentenceSplitter
from retrieval import GuidanceStatus, Hit, HybridSearcher, PassageKind, SearchRequest
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


def literals(text: str, rule: str = "quote") -> list[str]:
    """The quotations of a grammar's rule, read back from it."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{rule} ::=")]
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


def test_a_list_that_is_no_sentence_is_quoted_line_by_line_and_no_dose_without_its_drug(a_hit: Hit) -> None:
    text = "- Culture of the aspirate\n\n- Serological tests e.g. fixation\n\n- Adults 500 mg twice daily\n\n- PCR"
    hit = hit_of(a_hit, text)
    assert quotable(hit) == (("Culture of the aspirate",), ("Serological tests e.g. fixation",))
    dosed = hit_of(a_hit, text.replace("Adults 500 mg", "Colchicine 500 mg"))
    assert ("Colchicine 500 mg twice daily",) in quotable(dosed)


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
    assert worth_quoting([[throat, impetigo, other]], asked).first == (impetigo,)
    # Where none holds all, the first of each search may be; and any passage, where the question names nothing.
    assert worth_quoting([[throat, other], [other]], asked).first == (throat, other)
    assert worth_quoting([[throat, impetigo, other]], "And him?").first == (throat,)
    assert worth_quoting([], asked).first == ()


def test_a_passage_without_a_statement_to_quote_makes_room_for_the_next(a_hit: Hit) -> None:
    book = EvidenceBook("test")
    empty, full = (
        book.add(hit_of(a_hit, text, id=f"p#{place}"))[0]
        for place, text in enumerate(("None is required.", "Colchicine is given for gout."))
    )
    assert worth_quoting([[empty, full]], "gout?").first == (full,)
    assert worth_quoting([[empty]], "gout?").first == ()


def scored(hit: Hit, text: str, name: str, **fields: Any) -> Evidence:
    """A passage of its own guideline with these scores, and nothing else that could decide."""
    of_passage = {key: fields.pop(key) for key in ("population", "kind") if key in fields}
    found = hit_of(hit, text, id=f"p#{name}", section=(), synonyms=(), **{"population": None, **of_passage})
    bare = hit.document.model_copy(update={"title": "A guideline"})
    given = {"score": 0.0, "cosine": None, "rerank_score": None, **fields}
    return Evidence(name, found.model_copy(update={"document": bare, **given}))


@pytest.mark.parametrize(
    ("first", "second", "is_quoted"),
    [
        ({"score": 2.0, "rerank_score": 9.0}, {"score": 1.0, "rerank_score": 8.0}, False),
        ({"score": 1.0, "rerank_score": 9.0}, {"score": 2.0, "rerank_score": 8.0}, True),
        ({"score": 2.0, "rerank_score": 8.0}, {"score": 1.0, "rerank_score": 9.0}, True),
        ({"score": 2.0, "cosine": 0.6}, {"score": 1.0, "cosine": 0.5}, False),
        ({"score": 2.0, "cosine": 0.5}, {"score": 1.0, "cosine": 0.6}, True),
        # Where a reranker read both, how near they are was known to it.
        ({"score": 2.0, "cosine": 0.5, "rerank_score": 9.0}, {"score": 1.0, "cosine": 0.6, "rerank_score": 8.0}, False),
        ({"score": 2.0}, {"score": 1.0}, False),
    ],
)
def test_where_the_scores_disagree_on_the_likelier_one_both_are_quoted(
    a_hit: Hit, first: dict[str, float], second: dict[str, float], is_quoted: bool
) -> None:
    one = scored(a_hit, "Colchicine is given for gout.", "bcd", **first)
    two = scored(a_hit, "In gout naproxen helps most.", "fgh", **second)
    three = scored(a_hit, "Some take prednisolone in gout.", "jkm", score=9.0, rerank_score=99.0)
    chosen = worth_quoting([[one, two, three]], "gout?")
    assert chosen == Quoted((one,), two if is_quoted else None)


FIRST, SECOND = {"score": 1.0, "rerank_score": 9.0}, {"score": 2.0, "rerank_score": 8.0}


@pytest.mark.parametrize(
    ("asked", "first", "second"),
    [
        # The drug that was asked for is in the first alone.
        ("Colchicine in a flare?", "Give colchicine in a flare.", "In a flare offer naproxen."),
        # Another drug's dose, also where the first states none, several drugs may be meant, or a class was named.
        (
            "Dose of colchicine in gout?",
            "Give colchicine 500 micrograms in gout.",
            "In gout where colchicine is unsuitable, give prednisolone 30 mg.",
        ),
        (
            "Dose of colchicine in gout?",
            "Colchicine is an option in gout.",
            "In gout where colchicine is unsuitable, give 30 mg of prednisolone.",
        ),
        (
            "Dose of penicillin in a sore throat?",
            "Give penicillin in a sore throat for 5 days.",
            "In a sore throat erythromycin 500 mg instead of penicillin.",
        ),
        # People nobody asked about.
        ("Migraine?", "Offer sumatriptan in migraine.", "In pregnant women with migraine use paracetamol."),
        # The same once more.
        ("Gout?", "Give colchicine 500 micrograms in gout.", "Give colchicine 500 micrograms in acute gout."),
    ],
)
def test_a_second_passage_that_could_mislead_is_not_quoted_whatever_the_scores_say(
    a_hit: Hit, asked: str, first: str, second: str
) -> None:
    one, two = scored(a_hit, first, "bcd", **FIRST), scored(a_hit, second, "fgh", **SECOND)
    assert worth_quoting([[one, two]], asked) == Quoted((one,))


def test_the_dose_of_the_drug_that_was_asked_for_may_be_quoted_twice(a_hit: Hit) -> None:
    one = scored(a_hit, "Give colchicine 500 micrograms in gout.", "bcd", **FIRST)
    two = scored(a_hit, "In a flare of gout start 1 mg colchicine, then reduce it.", "fgh", **SECOND)
    assert worth_quoting([[one, two]], "Dose of colchicine in gout?") == Quoted((one,), two)


@pytest.mark.parametrize(
    "worse",
    [
        {"status": GuidanceStatus.EXPIRED},
        {"status": GuidanceStatus.SUPERSEDED},
        {"from_elsewhere": True},
        {"kind": PassageKind.NARRATIVE},
        {"population": "Children with gout"},
    ],
)
def test_a_second_passage_that_is_worse_guidance_is_not_quoted(a_hit: Hit, worse: dict[str, Any]) -> None:
    one = scored(a_hit, "Colchicine is given for gout.", "bcd", **FIRST)
    good = scored(a_hit, "In gout naproxen helps most.", "fgh", **SECOND)
    bad = scored(a_hit, "In gout naproxen helps most.", "fgh", **SECOND, **worse)
    assert worth_quoting([[one, good]], "gout?") == Quoted((one,), good)
    assert worth_quoting([[one, bad]], "gout?") == Quoted((one,))
    if "population" not in worse:
        assert worth_quoting([[bad, good]], "gout?").first == (bad,)


def test_what_speaks_against_the_patient_or_has_no_statement_is_not_quoted_as_well(a_hit: Hit) -> None:
    one = scored(a_hit, "Colchicine is given for gout.", "bcd", **FIRST)
    two = scored(a_hit, "In gout naproxen helps most.", "fgh", **SECOND)
    assert worth_quoting([[one, two]], "gout?", suits=lambda item: item is not two) == Quoted((one,))
    warned = two.hit.passage.model_copy(update={"text": "Gout: none.", "contraindications": ("peptic ulcer",)})
    mute = Evidence("fgh", two.hit.model_copy(update={"passage": warned}))
    assert quotations(mute)
    assert worth_quoting([[one, mute]], "gout?") == Quoted((one,))


def test_after_a_second_search_nothing_is_quoted_as_well(a_hit: Hit) -> None:
    """Scores of two searches do not compare, and a model that searched again was not content with the first."""
    one = scored(a_hit, "Colchicine is given for gout.", "bcd", **FIRST)
    two = scored(a_hit, "In gout naproxen helps most.", "fgh", **SECOND)
    assert worth_quoting([[one, two], [two]], "gout?") == Quoted((one, two))
    assert worth_quoting([[one, two], []], "gout?") == Quoted((one,))


def test_an_answer_begins_with_the_first_and_ends_with_what_is_quoted_as_well(a_hit: Hit) -> None:
    one = scored(a_hit, "Colchicine is given for gout.", "bcd")
    two = scored(a_hit, "Naproxen is given for gout.", "fgh")
    made = grammar(Quoted((one,), two))
    assert made is not None
    assert literals(made) == list(quotations(one))
    assert literals(made, "also") == list(quotations(two))
    assert made.splitlines()[0] == 'root ::= begin (" " quote){0,2} " " also-begin (" " also){0,1}'


def test_an_answer_begins_with_contraindications_only_where_they_were_asked_for(a_hit: Hit) -> None:
    """ "What do you give for gout?" must not be answered with "Contraindications: renal failure" alone."""
    hit = hit_of(a_hit, "Colchicine is given for gout.", contraindications=("severe renal failure",))
    one, two = Evidence("bcd", hit), Evidence("fgh", hit)
    made = grammar(Quoted((one,), two))
    assert made is not None
    assert literals(made, "begin") == ["Colchicine is given for gout [bcd]."]
    assert literals(made, "also-begin") == ["Colchicine is given for gout [fgh]."]
    assert literals(made, "also")[-1] == "Contraindications: severe renal failure [fgh]."
    asked = grammar(worth_quoting([[one]], "Colchicine: any contraindications?"))
    assert asked is not None
    assert literals(asked, "begin") == literals(asked, "quote") == list(quotations(one))
    only = grammar(Quoted((Evidence("bcd", hit_of(hit, "Yes.", contraindications=("severe renal failure",))),)))
    assert only is not None
    assert literals(only, "begin") == ["Contraindications: severe renal failure [bcd]."]


def test_contraindications_are_one_quotation(a_hit: Hit) -> None:
    hit = hit_of(a_hit, "Give magnesium sulfate.", contraindications=("heart block", "myasthenia gravis"))
    (*_, last) = quotations(Evidence("bcd", hit))
    assert last == "Contraindications: heart block; myasthenia gravis [bcd]."


def test_there_is_no_grammar_without_anything_to_quote(a_hit: Hit) -> None:
    assert grammar(Quoted((Evidence("bcd", hit_of(a_hit, "Yes.")),))) is None


@given(text=st.text(alphabet='ab "\\\n.é|[]', min_size=1, max_size=60))
def test_a_grammar_is_read_back_whatever_a_passage_holds(text: str) -> None:
    """A quotation mark in a guideline must not end a literal, or the server would refuse every answer."""
    hit = hit_of(_ANY, text + " and three words more")
    made = grammar(Quoted((Evidence("bcd", hit),)))
    if made is not None:
        assert literals(made) == list(quotations(Evidence("bcd", hit)))
        assert made.count("\n") == 3


def test_what_the_teacher_writes_is_what_the_grammar_allows(searcher: HybridSearcher) -> None:
    """Else the model would be trained on answers that it can never give."""
    written = 0
    for entry in starter()[:30]:
        hits = searcher.search(SearchRequest(queries=(entry.passages[0].section[0],))).hits[:5]
        book = EvidenceBook("test")
        evidence = [book.add(hit)[0] for hit in hits]
        made = grammar(Quoted(tuple(evidence)))
        assert made is not None
        answer = compose(f"{entry.passages[0].section[0]}?", [(item.key, item.hit) for item in evidence[:2]])
        assert is_allowed(answer, literals(made)), answer
        assert any(answer.startswith(begin) for begin in literals(made, "begin")), answer
        written += bool(answer)
    assert written == 30


def test_the_teacher_does_not_begin_with_contraindications_where_there_is_a_statement(a_hit: Hit) -> None:
    mute = hit_of(a_hit, "Yes.", contraindications=("severe renal failure",))
    stated = hit_of(a_hit, "Naproxen is given for gout.")
    assert compose("gout?", [("bcd", mute), ("fgh", stated)]) == "Naproxen is given for gout [fgh]."
    assert compose("gout?", [("bcd", mute)]) == "Contraindications: severe renal failure [bcd]."


_ANY = starter_searcher().search(SearchRequest(queries=("asthma",))).hits[0]
