"""An answer as the one text that a chat client shows, and where in it each citation mark stands.

The text is the answer as POST /v1/ask gives it: sentences with their marks, the label, every recommendation that is
listed, whole. Under it stand the sources, for clients that ignore annotations. It is plain text that also reads well as
Markdown, and nothing in it is escaped: what a guideline says arrives as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent import Answer, AnswerKind, Citation, Notice, Sentence

REFERENCES = "References:"
#: Before what the policy says of every answer, and before each thing that it says of this one.
DISCLAIMERS = "Please note:"
IMPORTANT = "Important: "
_LISTED = "Recommendations found:"
_LISTS: dict[AnswerKind, str] = {
    AnswerKind.WRITTEN: "Also found:",
    AnswerKind.REPLY: "Also found:",
    AnswerKind.DECLINED: "Nearest recommendations found:",
}
#: Where publishers disagree.
DIFFERING = "Recommendations differ:"
_HEADINGS = (*dict.fromkeys(_LISTS.values()), _LISTED, REFERENCES, DIFFERING, DISCLAIMERS)
#: Said where a sentence was sent before its guidance was withdrawn: what was streamed cannot be taken back.
RETRACTED = "Do not use the sentences above that cite {marks}: that guidance was withdrawn while this was answered."


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the mark of a citation stands: `text[start:end]` is "[3]" for the citation with that number."""

    number: int
    start: int
    end: int


class AnswerText:
    """Writes the text of one answer piece by piece; the pieces joined are the whole text.

    Give the policy's notices, then every sentence as it is shown, then `rest` the finished answer. Positions count
    characters (code points).
    """

    def __init__(self) -> None:
        self._length = 0
        self._marks: list[Mark] = []
        self._shown: list[Sentence] = []
        self._noticed = False

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Every mark written so far, in the order of the text."""
        return tuple(self._marks)

    def notices(self, notices: Sequence[Notice]) -> str:
        """The first piece: what is said before the answer; empty where nothing is, or it was written already."""
        if self._noticed or not notices:
            return ""
        self._noticed = True
        return "".join(self._paragraph(f"{IMPORTANT}{notice.text}") for notice in notices)

    def sentence(self, sentence: Sentence) -> str:
        """The next piece: a verified sentence with its marks."""
        pieces = [self._plain(f" {sentence.text}") if self._shown else self._paragraph(sentence.text)]
        for number in sentence.citations:
            pieces += [self._plain(" "), self._mark(number)]
        self._shown.append(sentence)
        return "".join(pieces)

    def rest(self, answer: Answer) -> str:
        """The last piece: what is left of the answer, its label, recommendations and sources."""
        pieces = [self.notices(answer.notices)]
        pieces += [self.sentence(item) for item in answer.sentences if item not in self._shown]
        if note := _retracted(self._shown, answer):
            pieces.append(self._paragraph(note))
        if answer.label:
            pieces.append(self._paragraph(answer.label))
        pieces += self._disagreements(answer)
        used = answer.used
        listed = [citation for citation in answer.citations if citation not in used]
        if listed:
            pieces.append(self._paragraph(_LISTS.get(answer.kind, _LISTED)))
        for citation in listed:
            pieces += [self._paragraph(""), self._mark(citation.number), self._plain(f" {_whole(citation)}")]
        if answer.citations:
            pieces.append(self._paragraph(REFERENCES))
            lines = (_reference(citation, qualified=citation in used) for citation in answer.citations)
            pieces.append(self._paragraph("\n".join(lines)))
        notices = dict.fromkeys(citation.notice for citation in answer.citations if citation.notice)
        pieces += [self._paragraph(notice) for notice in notices]
        if answer.disclaimers:
            pieces.append(self._paragraph(DISCLAIMERS))
            pieces += [self._paragraph(disclaimer) for disclaimer in answer.disclaimers]
        return "".join(pieces)

    def _disagreements(self, answer: Answer) -> list[str]:
        """Where publishers disagree, each in its own words."""
        pieces = [self._paragraph(DIFFERING)] if answer.disagreements else []
        for disagreement in answer.disagreements:
            for difference in disagreement.differences:
                pieces.append(self._paragraph(f"On {difference.kind}:"))
                for citation, words in answer.sides(disagreement, difference):
                    told = (citation.publisher, citation.year, citation.region, citation.strength)
                    origin = ", ".join(str(part) for part in told if part)
                    pieces += [self._plain("\n"), self._mark(citation.number), self._plain(f" {origin}: {words}")]
        return pieces

    def _plain(self, text: str) -> str:
        self._length += len(text)
        return text

    def _paragraph(self, text: str) -> str:
        return self._plain(f"\n\n{text}" if self._length else text)

    def _mark(self, number: int) -> str:
        text, start = f"[{number}]", self._length
        self._marks.append(Mark(number=number, start=start, end=start + len(text)))
        return self._plain(text)


def without_lists(text: str) -> str:
    """An earlier answer without what the policy says around it and the recommendations and sources listed under it."""
    while text.startswith(IMPORTANT):
        text = text.partition("\n\n")[2]
    ends = [place for heading in _HEADINGS if (place := text.find(f"\n\n{heading}\n\n")) >= 0]
    return text[: min(ends)] if ends else text


def web_url(citation: Citation) -> str | None:
    """The citation's address where it is one of the web: a link to anything else may be a script."""
    url = citation.url
    return url if url and url.startswith(("https://", "http://")) else None


def _retracted(shown: Sequence[Sentence], answer: Answer) -> str | None:
    """A warning about sentences that were shown and are not part of the finished answer."""
    standing = {citation.number for citation in answer.citations}
    cited = {number for item in shown if item not in answer.sentences for number in item.citations}
    marks = ", ".join(f"[{number}]" for number in sorted(cited - standing))
    return RETRACTED.format(marks=marks) if marks else None


def _whole(citation: Citation) -> str:
    """A recommendation with everything that travels with it."""
    head = f"{citation.condition}: {citation.text}" if citation.condition else citation.text
    return "\n".join([head, *(f"- {item}" for item in (*citation.labels, *_qualifiers(citation)))])


def _qualifiers(citation: Citation) -> list[str]:
    stated = [
        ("Strength", citation.strength or "not stated"),
        ("Certainty", citation.certainty),
        ("Population", citation.population),
        ("Contraindications", "; ".join(citation.contraindications)),
    ]
    return [f"{name}: {value}" for name, value in stated if value]


def _reference(citation: Citation, *, qualified: bool) -> str:
    """One line of the list of sources; one that is not listed whole above brings its qualifiers with it."""
    qualifiers = _qualifiers(citation)
    parts = [
        citation.title,
        citation.publisher,
        str(citation.year) if citation.year else None,
        *(qualifiers if qualified else qualifiers[:1]),
        *(citation.labels if qualified else ()),
        web_url(citation),
    ]
    return f"- [{citation.number}] " + " · ".join(part for part in parts if part)
