"""Cutting a parsed document into passages.

    recommendation   one passage: the sentences up to and with their grade, never cut from it
    table row        one passage: caption, header, the row, footnotes
    everything else  packed by whole sentences up to a token budget, never across a heading

A passage's `start` and `end` always give back the words it is about: they are its text, or, where the
passage carries something around them (a caption, the words that introduce a list item), a part of it.
No text is lost: every block is in some passage, a heading in the section path of what stands under it.
A text longer than the encoder reads is split at sentences; each part of a split recommendation keeps its
grade, its introduction and its qualifying sentences, and says that it is a part.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from retrieval.blocks import Block, ParsedDocument, Piece, Table, lay_out
from retrieval.documents import CorpusEntry, Passage, PassageId, PassageKind
from retrieval.gathering import gather_grades
from retrieval.recommendations import (
    Grade,
    find_grades,
    heading_certainty,
    merge_grades,
    sounds_like_recommendation,
)
from retrieval.searched_text import dense_text
from retrieval.sentences import sentence_spans
from retrieval.token_counts import MINILM_LIMIT, SPECIAL_TOKENS, TokenCounter

#: Also to be changed when `retrieval.recommendations` or `retrieval.gathering` would give another result.
CHUNKER_VERSION = "4"
#: Tokens of narrative packed together; well under the limit, so that one passage has one subject.
NARRATIVE_BUDGET = 200
# What stands around a split text may take this part of the limit; the rest is for the text itself.
_FRAME_SHARE = 0.5
_LONGEST_PREFIX = 0.4  # part of the limit
_GRADED_PARAGRAPH = 220  # tokens; in a longer one only the sentences around the grade are the recommendation

_QUALIFIER = re.compile(
    r"\b(?:unless|except|only\s+(?:if|when|in)|contraindicat\w*|does\s+not\s+apply|do\s+not|should\s+not|must\s+not|"
    r"avoid|caution|not\s+recommended|if\s+not)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CutLimits:
    """How long passages may be, in tokens of the encoder that `counter` counts for."""

    counter: TokenCounter
    limit: int = MINILM_LIMIT
    narrative: int = NARRATIVE_BUDGET

    @property
    def version(self) -> str:
        """Changes whenever a cut could fall elsewhere."""
        return f"{CHUNKER_VERSION}-{self.counter.name}-{self.limit}-{self.narrative}"


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document cut into passages, with the extracted text their offsets point into."""

    entry: CorpusEntry
    text: str


@dataclass(slots=True)
class _Cutter:
    parsed: ParsedDocument
    limits: CutLimits
    text: str = ""
    passages: list[Passage] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)
    _path: list[tuple[int, str]] = field(default_factory=list)
    _pending: list[tuple[int, int]] = field(default_factory=list)
    _page: int | None = None
    _room: int = 0
    _condition: str = ""

    def cut(self) -> CutDocument:
        self.text, pieces = lay_out(gather_grades(self.parsed.blocks))
        # The encoder reads the condition before every passage; one that is a paragraph may not fill it.
        self._condition = _first_words(self.parsed.condition, _LONGEST_PREFIX, self.limits)
        prefix = self.limits.counter.count(self._condition) + 1
        self._room = max(self.limits.limit - SPECIAL_TOKENS - prefix, 16)
        empty: Piece | None = None  # a heading that nothing stands under yet
        for piece in pieces:
            block = piece.block
            if block.kind == "heading":
                self._flush()
                if empty is not None and block.level <= empty.block.level:
                    self._keep_heading(empty)
                self._path = [(level, name) for level, name in self._path if level < block.level]
                self._path.append((block.level, block.text))
                empty = piece
                continue
            empty = None
            if block.kind == "table":
                self._flush()
                self._row(piece)
            else:
                self._prose(piece)
        self._flush()
        if empty is not None:
            self._keep_heading(empty)
        entry = CorpusEntry(document=self.parsed.document, passages=tuple(self.passages))
        return CutDocument(entry, self.text)

    # -- prose ------------------------------------------------------------------------------------------------

    def _prose(self, piece: Piece) -> None:
        block = piece.block
        marks = () if block.explains else find_grades(block.text)
        if block.whole or block.grade is not None:
            grade = block.grade or merge_grades([mark.grade for mark in marks])
            self._flush()
            self._recommend(piece, piece.start, piece.end, grade)
            return
        # A certainty alone grades evidence; it makes a recommendation only of what sounds like one.
        if not any(mark.grade.strength for mark in marks) and not (
            marks and block.recommends and sounds_like_recommendation(block.text)
        ):
            marks = ()
        if not marks:
            if block.recommends and sounds_like_recommendation(f"{block.lead} {block.text}".strip()):
                self._flush()
                self._recommend(piece, piece.start, piece.end, None)
            else:
                self._narrate(piece, piece.start, piece.end)
            return
        for start, end, grades in _units(block.text, self.limits, keep_all=block.kind == "item"):
            if grades:
                self._flush()
                self._recommend(piece, piece.start + start, piece.start + end, merge_grades(grades))
            else:
                self._narrate(piece, piece.start + start, piece.start + end)

    def _recommend(self, piece: Piece, start: int, end: int, grade: Grade | None) -> None:
        # A certainty alone ("moderate-quality evidence") grades the evidence; the sentence still recommends.
        certainty = grade.certainty if grade else None
        for _, heading in reversed(self._path):
            certainty = certainty or heading_certainty(heading)
        self._emit(
            piece.block,
            PassageKind.RECOMMENDATION,
            start,
            end,
            lead=piece.block.lead,
            grade=Grade(grade.strength if grade else None, certainty),
        )

    def _narrate(self, piece: Piece, start: int, end: int) -> None:
        block = piece.block
        if block.lead:
            self._flush()
            self._emit(block, PassageKind.NARRATIVE, start, end, lead=block.lead)
            return
        if self._pending and block.page != self._page:
            self._flush()
        if not self._pending:
            self._page = block.page
        spans = [(start + a, start + b) for a, b in sentence_spans(self.text[start:end])]
        for span in spans:
            self._pending.append(span)

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        budget = min(self.limits.narrative, self._room)
        block = Block("paragraph", page=self._page)
        for start, end in self._pack(pending, budget):
            self._emit(block, PassageKind.NARRATIVE, start, end)

    def _pack(self, spans: list[tuple[int, int]], budget: int) -> Iterator[tuple[int, int]]:
        """Neighbouring spans joined up to a budget; a span longer than the budget is cut between words."""
        start, end, used = -1, -1, 0
        for a, b in spans:
            cost = self._tokens(a, b)
            if cost > budget:
                if start >= 0:
                    yield start, end
                yield from self._cut_words(a, b, budget)
                start, used = -1, 0
            elif start >= 0 and used + cost <= budget:
                end, used = b, used + cost
            else:
                if start >= 0:
                    yield start, end
                start, end, used = a, b, cost
        if start >= 0:
            yield start, end

    def _cut_words(self, start: int, end: int, budget: int) -> Iterator[tuple[int, int]]:
        begin, last, used = -1, -1, 0
        for match in re.finditer(r"\S+", self.text[start:end]):
            for a, b in self._bits(start + match.start(), start + match.end(), budget):
                cost = self._tokens(a, b)
                if begin >= 0 and used + cost > budget:
                    yield begin, last
                    begin, used = -1, 0
                begin = a if begin < 0 else begin
                last, used = b, used + cost
        if begin >= 0:
            yield begin, last

    def _bits(self, start: int, end: int, budget: int) -> Iterator[tuple[int, int]]:
        """A word, or halves of halves of it where it alone is longer than the budget."""
        if end - start < 2 or self._tokens(start, end) <= budget:
            yield start, end
            return
        middle = (start + end) // 2
        yield from self._bits(start, middle, budget)
        yield from self._bits(middle, end, budget)

    # -- tables and headings ----------------------------------------------------------------------------------

    def _row(self, piece: Piece) -> None:
        table = piece.block.table
        assert table is not None
        grades = find_grades(self.text[piece.start : piece.end])
        # A certainty alone grades the evidence that a row gives.
        text = self.text[piece.start : piece.end]
        strong = any(mark.grade.strength is not None for mark in grades)
        graded = not piece.block.explains and (
            (piece.block.recommends and (strong or _recommends(table))) or (strong and sounds_like_recommendation(text))
        )
        self._emit(
            piece.block,
            PassageKind.RECOMMENDATION if graded else PassageKind.TABLE_ROW,
            piece.start,
            piece.end,
            lead=table.caption,
            notes="\n".join(table.notes),
            grade=merge_grades([mark.grade for mark in grades]) if graded else None,
        )

    def _keep_heading(self, piece: Piece) -> None:
        self._emit(piece.block, PassageKind.NARRATIVE, piece.start, piece.end)

    # -- passages ---------------------------------------------------------------------------------------------

    def _emit(
        self,
        block: Block,
        kind: PassageKind,
        start: int,
        end: int,
        *,
        lead: str = "",
        notes: str = "",
        grade: Grade | None = None,
    ) -> None:
        count = self.limits.counter.count
        around = count(lead) + count(notes)
        if around + self._tokens(start, end) <= self._room:
            self._add(block, kind, start, end, _framed(lead, self.text[start:end], notes), grade)
            return
        spans = [(start + a, start + b) for a, b in sentence_spans(self.text[start:end])]
        budget = int(self._room * _FRAME_SHARE)
        if kind is PassageKind.RECOMMENDATION:
            lead = lead or (self.text[slice(*spans[0])] if len(spans) > 1 else "")
            notes = " ".join(
                [notes, *(s for s in (self.text[slice(*span)] for span in spans[1:]) if _QUALIFIER.search(s))]
            ).strip()
        lead = _within(lead, budget // 2, self.limits.counter)
        notes = _within(notes, budget - count(lead), self.limits.counter)
        mark = "(part {} of {} of this recommendation)" if kind is PassageKind.RECOMMENDATION else "(part {} of {})"
        left = self._room - count(lead) - count(notes) - count(mark.format(88, 88)) - 2
        parts = list(self._pack(spans, left))
        for number, (a, b) in enumerate(parts, start=1):
            piece = self.text[a:b]
            first = "" if lead and piece.startswith(lead) else lead
            last = "" if notes and notes in piece else notes
            text = _framed(_framed(first, piece, last), mark.format(number, len(parts)), "")
            self._add(block, kind, a, b, text, grade)

    def _add(self, block: Block, kind: PassageKind, start: int, end: int, text: str, grade: Grade | None) -> None:
        section = tuple(dict.fromkeys([self._condition, *(name for _, name in self._path)]))
        document_id = self.parsed.document.id
        digest = hashlib.sha256("\x00".join([*section, text]).encode()).hexdigest()[:10]
        self._seen[digest] = self._seen.get(digest, 0) + 1
        repeated = f".{self._seen[digest]}" if self._seen[digest] > 1 else ""
        recommends = kind is PassageKind.RECOMMENDATION
        self.passages.append(
            Passage(
                id=PassageId(f"{document_id}#{digest}{repeated}"),
                document_id=document_id,
                kind=kind,
                section=section,
                synonyms=self.parsed.synonyms,
                text=text,
                strength=grade.strength if grade else None,
                certainty=grade.certainty if grade else None,
                population=(block.population or self.parsed.population) if recommends else None,
                contraindications=self.parsed.contraindications if recommends else (),
                start=start,
                end=end,
                page=block.page,
            )
        )

    def _tokens(self, start: int, end: int) -> int:
        return self.limits.counter.count(self.text[start:end])


def cut_document(parsed: ParsedDocument, limits: CutLimits) -> CutDocument:
    """Cut a document into passages; see the module's docstring for the rules."""
    return _Cutter(parsed, limits).cut()


def too_long(passage: Passage, limits: CutLimits) -> bool:
    """Whether the encoder would cut a passage short."""
    return limits.counter.count(dense_text(passage)) + SPECIAL_TOKENS > limits.limit


def _recommends(table: Table) -> bool:
    """Whether a column is headed "Recommendation"."""
    return any(re.match(r"recommendations?\b", name, re.IGNORECASE) for name in table.header)


def _units(text: str, limits: CutLimits, *, keep_all: bool) -> Iterator[tuple[int, int, list[Grade]]]:
    """A text with grades as (start, end, grades): each unit ends with the sentence that holds its grade.

    Sentences after the last grade qualify it and stay with it; sentences before a grade belong to it
    unless together they are long, when only as many as fit do. `keep_all`: the text is one list item, which
    states one recommendation however long it is.
    """
    marks = find_grades(text)
    spans = _split_after_grades(text, sentence_spans(text), [mark.end for mark in marks])
    groups: list[tuple[list[tuple[int, int]], list[Grade]]] = [([], [])]
    for start, end in spans:
        if groups[-1][1]:
            groups.append(([], []))
        groups[-1][0].append((start, end))
        groups[-1][1].extend(mark.grade for mark in marks if start < mark.end and mark.start < end)
    if len(groups) > 1 and not groups[-1][1]:
        rest = groups.pop()[0]
        tokens = limits.counter.count(text[rest[0][0] : rest[-1][1]])
        if keep_all or tokens <= _GRADED_PARAGRAPH:
            groups[-1][0].extend(rest)
        else:
            groups.append((rest, []))
    for held, grades in groups:
        first = 0
        while (
            grades
            and not keep_all
            and first < len(held) - 1
            and limits.counter.count(text[held[first][0] : held[-1][1]]) > _GRADED_PARAGRAPH
        ):
            first += 1
        if first:
            yield held[0][0], held[first - 1][1], []
        yield held[first][0], held[-1][1], grades


def _split_after_grades(text: str, spans: list[tuple[int, int]], ends: list[int]) -> list[tuple[int, int]]:
    """Sentences, cut also where one ends with its grade in brackets and no full stop before the next."""
    out = []
    for start, end in spans:
        for stop in ends:
            if start < stop < end and (found := re.match(r"\.?\s+(?=[A-Z])", text[stop:end])):
                out.append((start, stop + len(found.group().rstrip())))
                start = stop + found.end()
        out.append((start, end))
    return out


def _first_words(text: str, share: float, limits: CutLimits) -> str:
    """A text, or as many of its words from the first as take a share of the limit."""
    words = text.split()
    while len(words) > 1 and limits.counter.count(" ".join(words)) > share * limits.limit:
        words.pop()
    return " ".join(words) if len(words) < len(text.split()) else text


def _framed(before: str, text: str, after: str) -> str:
    return "\n".join(part for part in (before, text, after) if part)


def _within(text: str, budget: int, counter: TokenCounter) -> str:
    """The sentences of a text, from the first, that fit a budget."""
    end = 0
    for _, stop in sentence_spans(text):
        if counter.count(text[:stop]) > budget:
            break
        end = stop
    return text[:end]
