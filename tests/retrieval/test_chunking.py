"""If these fail, a clinician reads a recommendation without its grade, or a citation opens the wrong words."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.blocks import Block, ParsedDocument, Table
from retrieval.chunking import CutDocument, CutLimits, cut_document, too_long
from retrieval.documents import Document, DocumentId, Passage, PassageKind, SourceId
from retrieval.sentences import sentence_spans
from retrieval.token_counts import EstimatedCounter

LIMITS = CutLimits(EstimatedCounter(), limit=64, narrative=40)
WIDE = CutLimits(EstimatedCounter())


def parsed(*blocks: Block) -> ParsedDocument:
    document = Document(
        id=DocumentId("d"), source=SourceId("guidelines"), title="Example", publisher="Example", region="GB"
    )
    return ParsedDocument(document=document, blocks=blocks, condition="Example")


def cut(*blocks: Block, limits: CutLimits = WIDE) -> tuple[Passage, ...]:
    return cut_document(parsed(*blocks), limits).entry.passages


words = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=14)
graded = st.sampled_from(
    ["", " (Strong for)", " (B recommendation)", " [EO]", " (strong recommendation, low certainty)"]
)
WORDS = ["should.", "Give", "5 mg.", "e.g.", "unless", "No."]
prose = st.builds(
    lambda parts, end: " ".join(parts) + end,
    st.lists(
        st.one_of(words, st.sampled_from(WORDS)),
        min_size=1,
        max_size=60,
    ),
    graded,
)
blocks = st.lists(
    st.one_of(
        st.builds(lambda text, level: Block("heading", text, level=level), words, st.integers(1, 4)),
        st.builds(lambda text: Block("paragraph", text), prose),
        st.builds(
            lambda text, lead: Block("item", text, lead=lead, recommends=True),
            prose,
            st.sampled_from(["", "If pregnant:"]),
        ),
        st.builds(
            lambda rows, notes: Block("table", table=Table(tuple(rows), ("Drug", "Dose"), "Table 1", tuple(notes))),
            st.lists(st.tuples(words, words), min_size=1, max_size=3),
            st.lists(st.just("* with food"), max_size=1),
        ),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(blocks)
def test_offsets_give_back_the_text_nothing_is_lost_and_nothing_is_too_long(found: list[Block]) -> None:
    made: CutDocument = cut_document(parsed(*found), LIMITS)
    covered = [False] * len(made.text)
    for passage in made.entry.passages:
        assert passage.start is not None
        assert passage.end is not None
        assert made.text[passage.start : passage.end] in passage.text
        assert not too_long(passage, LIMITS)
        covered[passage.start : passage.end] = [True] * (passage.end - passage.start)
    shown = " ".join(" ".join((*passage.section, passage.text)) for passage in made.entry.passages)
    for match in re.finditer(r"\S+", made.text):
        assert all(covered[match.start() : match.end()]) or match.group() in shown, match.group()
    assert len({passage.id for passage in made.entry.passages}) == len(made.entry.passages)


@given(st.text(max_size=300))
def test_sentences_cover_every_word(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(b <= c for (_, b), (c, _) in pairwise(spans))


def test_two_recommendations_in_one_paragraph_keep_their_own_grades() -> None:
    text = "Offer A to women. It helps. (B recommendation) Do not offer C, e.g. to men. (D recommendation) See below."
    found = cut(Block("paragraph", text))
    assert [passage.strength for passage in found] == ["Grade B", "Grade D"]
    assert found[0].text == "Offer A to women. It helps. (B recommendation)"
    assert found[1].text.endswith("See below.")


def test_a_split_recommendation_keeps_grade_lead_and_qualifier_in_every_part() -> None:
    sentences = " ".join(f"Give step {number} of the treatment with care to everyone." for number in range(12))
    text = f"Treat in steps. {sentences} Do not treat in pregnancy. (Strong for)"
    found = cut(Block("item", text, recommends=True), limits=LIMITS)
    assert len(found) > 2
    for passage in found:
        assert passage.kind is PassageKind.RECOMMENDATION
        assert passage.strength == "Strong for"
        assert "Do not treat in pregnancy." in passage.text
        assert "of this recommendation)" in passage.text


def test_a_grade_in_a_paragraph_of_its_own_joins_the_list_it_grades() -> None:
    found = cut(
        Block("paragraph", "We recommend the following:", recommends=True),
        Block("item", "one thing", lead="We recommend the following:", recommends=True),
        Block("item", "another", lead="We recommend the following:", recommends=True),
        Block("paragraph", "(Strong for)", recommends=True),
        Block("paragraph", "Note: not in children.", recommends=True),
    )
    assert len(found) == 1
    assert found[0].strength == "Strong for"
    for part in ("We recommend", "one thing", "another", "Note: not in children."):
        assert part in found[0].text


def test_a_table_row_carries_caption_header_and_footnotes() -> None:
    table = Table((("Amoxicillin", "500 mg*"),), ("Drug", "Dose"), "Table 2. Doses", ("* halve in renal failure",))
    (row,) = cut(Block("table", table=table, page=7))
    assert row.kind is PassageKind.TABLE_ROW
    assert row.text == "Table 2. Doses\nDrug: Amoxicillin | Dose: 500 mg*\n* halve in renal failure"
    assert row.page == 7


def test_evidence_alone_makes_no_recommendation() -> None:
    (passage,) = cut(Block("paragraph", "The trial found fewer deaths (moderate-certainty evidence)."))
    assert passage.kind is PassageKind.NARRATIVE
