"""MedQuAD: question and answer pages of the US National Institutes of Health, one XML file a page.

Every question is a heading and its answer stands under it. Pairs whose answer was withheld from the
collection for copyright are reported, never invented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring

from retrieval.blocks import Block, ParsedDocument, tidy
from retrieval.documents import Document, DocumentId
from retrieval.errors import ReaderError
from retrieval.readers.base import PATIENT_INFORMATION, ReadItem, Skipped, SourceFile, slug

_PUBLISHERS = {
    "CancerGov": "National Cancer Institute",
    "GARD": "Genetic and Rare Diseases Information Center, NIH",
    "GHR": "Genetics Home Reference, National Library of Medicine",
    "MPlusHealthTopics": "MedlinePlus, National Library of Medicine",
    "NIDDK": "National Institute of Diabetes and Digestive and Kidney Diseases",
    "NINDS": "National Institute of Neurological Disorders and Stroke",
    "NIHSeniorHealth": "NIH SeniorHealth",
    "NHLBI": "National Heart, Lung, and Blood Institute",
    "CDC": "Centers for Disease Control and Prevention",
}
_ITEM = re.compile(r"\s+-\s{2,}|\n\s*-\s+|\s{2,}-\s+")


class MedQuadReader:
    """See the module."""

    name = "medquad"
    version = "medquad-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return file.suffix == ".xml" and re.search(r"<qapairs?\b", file.head, re.IGNORECASE) is not None

    def read(self, file: SourceFile) -> Iterator[ReadItem]:
        """See `Reader.read`."""
        try:
            root = fromstring(file.data)
        except (ParseError, ValueError) as error:
            raise ReaderError("is not well-formed XML") from error
        # A few files name the same things otherwise ("doc", "pair", "doctitle-focus").
        key, source = file.path.stem, root.get("source") or root.get("corpus") or "unknown"
        focus = _first(root, "focus", "doctitle-focus") or _first(root, "question")
        if not focus:
            raise ReaderError("has no focus and no question")
        blocks: list[Block] = []
        pairs = answered = 0
        for pair in (node for node in root.iter() if node.tag.lower() in ("qapair", "pair")):
            pairs += 1
            question = _first(pair, "question")
            answer = next((node.text or "" for node in pair if node.tag.lower() == "answer"), "")
            if not tidy(answer):
                continue
            answered += 1
            blocks.append(Block("heading", question or focus, level=1))
            blocks.extend(_answer_blocks(answer, question))
        if missing := pairs - answered:
            yield Skipped(file.name, "has no answer" if missing == 1 else f"has {missing} questions without an answer")
        if not blocks:
            return
        names = [tidy(node.text or "") for node in root.iter("Synonym")]
        yield ParsedDocument(
            document=Document(
                id=DocumentId(f"medquad/{slug(source)}/{slug(key)}"),
                source=PATIENT_INFORMATION,
                title=focus,
                publisher=_PUBLISHERS.get(source, source),
                region="US",
                url=root.get("url"),
                licence="CC BY 4.0",
                notice="Written for patients and the public; the date of review is not stated.",
            ),
            blocks=tuple(blocks),
            condition=focus,
            synonyms=tuple(dict.fromkeys(name for name in names if name and name != focus)),
        )


def _first(root: Element, *names: str) -> str:
    """The first text that is not empty of the elements with one of these names, whatever their case."""
    found = (tidy(node.text or "") for node in root.iter() if node.tag.lower() in names)
    return next((text for text in found if text), "")


def _answer_blocks(answer: str, question: str) -> Iterator[Block]:
    """Paragraphs and list items of an answer, whose lists are dashes between wide spaces."""
    for raw in re.split(r"\n\s*\n", answer):
        head, *items = _ITEM.split(raw)
        for number, part in enumerate([head, *items]):
            text = tidy(part)
            if number == 0:
                text = tidy(text.removeprefix(question))
            if text:
                yield Block("paragraph", text if number == 0 else f"- {text}", explains=True)
