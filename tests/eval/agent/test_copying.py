"""What counts as copied, and which stated words an answer holds."""

from __future__ import annotations

import pytest

from agent import Citation
from eval.agent.copying import covered, is_copied
from retrieval import DocumentId, PassageId, PassageKind

CITED = Citation(
    number=1,
    passage_id=PassageId("p"),
    document_id=DocumentId("d"),
    kind=PassageKind.RECOMMENDATION,
    condition=None,
    text="Give examplicillin 250 mg twice daily. Stop after 5 days, unless fever persists; review then.",
    strength=None,
    certainty=None,
    population=None,
    contraindications=("Allergy to examplicillin", "pregnancy"),
    title="t",
    publisher="p",
    year=None,
    region="GB",
    url=None,
    notice=None,
)


@pytest.mark.parametrize(
    ("sentence", "copied"),
    [
        ("Give examplicillin 250 mg twice daily.", True),
        ("give Examplicillin 250 mg, twice daily", True),
        ("Give examplicillin 250 mg twice daily. Stop after 5 days, unless fever persists.", True),
        ("Contraindications: Allergy to examplicillin; pregnancy.", True),
        ("Give examplicillin 250 mg.", False),
        ("Give adults examplicillin 250 mg twice daily.", False),
        ("Stop after 5 days.", False),
        ("...", False),
    ],
    ids=["a statement", "other case", "two statements", "warnings", "cut", "a word added", "condition cut", "no word"],
)
def test_only_whole_statements_are_copies(sentence: str, copied: bool) -> None:
    assert is_copied(sentence, [CITED]) is copied
    assert not is_copied(sentence, [])


def test_a_phrase_is_covered_by_its_stems_and_numbers_in_any_order() -> None:
    shown = "For adults: examplicillin 250mg, two tablets daily."
    assert covered(["examplicillin 250 mg", "daily tablet"], shown) == 2
    assert covered(["examplicillin 500 mg", "children"], shown) == 0
