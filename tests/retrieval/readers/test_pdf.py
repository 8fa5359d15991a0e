"""If these fail, a clinician reads a PDF's recommendation scrambled, cut from its grade, or mixed with another's."""

from __future__ import annotations

from retrieval import CutLimits, EstimatedCounter
from retrieval.chunking import CutDocument, cut_document
from retrieval.documents import PassageKind
from retrieval.readers import SourceFile, detect
from tests.retrieval.readers.samples import pdf, rule, shown

LIMITS = CutLimits(EstimatedCounter())
FILLER = "".join(
    shown(70, 600 + 14 * row, "plain words that fill the page so that it has a body of text") for row in range(8)
)


def read(*pages: str) -> CutDocument:
    file = SourceFile("guide.pdf", pdf(*pages))
    reader = detect(file)
    assert reader is not None
    (parsed,) = reader.read(file)
    return cut_document(parsed, LIMITS)  # type: ignore[arg-type]


def rules(*tops: float) -> str:
    return "".join(rule(70, 300, top) + rule(300, 520, top) for top in tops)


def graded_table() -> str:
    return (
        shown(70, 60, "Summary of recommendations", size=16)
        + rules(100, 120)
        + rule(70, 520, 140)
        + rules(180, 220)
        + shown(75, 104, "Recommendations", bold=True)
        + shown(305, 104, "Strength", bold=True)
        + shown(75, 124, "Pregnant women", bold=True)
        + shown(75, 144, "We suggest that women with a stiff")
        + shown(305, 144, "Conditional recommendation,")
        + shown(75, 158, "neck rest in bed.")
        + shown(305, 158, "low certainty evidence")
        + shown(75, 184, "We recommend walking for those")
        + shown(305, 184, "Strong recommendation,")
        + shown(75, 198, "who can walk.")
        + shown(305, 198, "moderate-to-high certainty")
        + FILLER
    )


def test_a_table_without_side_rules_keeps_each_recommendation_with_its_own_grade() -> None:
    found = [p for p in read(graded_table()).entry.passages if p.kind is PassageKind.RECOMMENDATION]
    assert [(p.strength, p.certainty) for p in found] == [("Conditional", "Low"), ("Strong", "Moderate to high")]
    assert "We suggest that women with a stiff neck rest in bed." in found[0].text
    assert "walking" not in found[0].text
    assert all(p.text.startswith("Pregnant women") and p.page == 1 for p in found)


def test_a_grade_on_a_line_of_its_own_in_a_box_stays_with_the_recommendation() -> None:
    page = (
        shown(70, 60, "Recommendation (new)", size=12, bold=True)
        + shown(70, 84, "We suggest that adults with a stiff neck rest in bed for two days.")
        + shown(70, 112, "Conditional recommendation, low certainty in evidence effects")
        + shown(70, 140, "Remarks: this holds for two days only.")
        + shown(70, 168, "Summary of the evidence")
        + shown(70, 196, "The panel said that one should not trust the only trial.")
        + FILLER
    )
    passages = read(page).entry.passages
    (found,) = [p for p in passages if p.strength]
    assert (found.strength, found.certainty) == ("Conditional", "Low")
    for words in ("rest in bed", "Conditional recommendation", "two days only"):
        assert words in found.text
    assert "only trial" not in found.text


def test_numbered_statements_under_recommendations_are_recommendations() -> None:
    page = (
        shown(70, 60, "Recommendations", size=14)
        + shown(70, 84, "1a. Advise women with a stiff neck to rest.")
        + shown(70, 112, "1b. Advise men with a stiff neck to walk.")
        + FILLER
    )
    found = [p.text for p in read(page).entry.passages if p.kind is PassageKind.RECOMMENDATION]
    assert found == ["1a. Advise women with a stiff neck to rest.", "1b. Advise men with a stiff neck to walk."]


def test_numbers_beside_the_text_and_running_heads_are_not_read() -> None:
    def page(number: int) -> str:
        return (
            shown(70, 20, "Guide to rest")
            + shown(20, 300, f"{number}")
            + shown(70, 300, f"Rest is chapter {'abcd'[number]} of this guide, and it is read by everyone.")
            + FILLER
        )

    cut = read(page(1), page(2), page(3))
    assert "Guide to rest" not in cut.text
    assert all(f"{number} Rest" not in cut.text for number in (1, 2, 3))
    places = {p.page for p in cut.entry.passages if "chapter" in p.text}
    assert places == {1, 2, 3}


def test_two_columns_are_read_one_after_the_other() -> None:
    left = "".join(shown(60, 60 + 14 * row, f"left side line number {row} of it") for row in range(30))
    right = "".join(shown(320, 60 + 14 * row, f"right side line number {row} of it") for row in range(30))
    text = read(left + right).text
    assert text.index("left side line number 29") < text.index("right side line number 0")
