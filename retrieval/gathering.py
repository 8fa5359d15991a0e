"""Putting back together what a page lays out apart: a grade that stands in a paragraph of its own.

    Offer the following:          one recommendation
    - this                        with its two items
    - that                        and its grade
    (Strong for)

A note that follows ("Note: not in pregnancy.") qualifies the recommendation and joins it too. Cut as they
stand, the items would lose their grade and the grade would say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from retrieval.blocks import Block
from retrieval.recommendations import find_grades

_QUALIFYING = re.compile(r"^[(\[*]?\s*(?:notes?|exceptions?|cautions?|caveats?|warnings?|remarks?)\s*:", re.IGNORECASE)


def gather_grades(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks, each lone grade joined to the paragraph or the list it grades."""
    out: list[Block] = []
    for block in blocks:
        if out and _qualifies(block) and out[-1].kind in ("paragraph", "item") and find_grades(out[-1].text):
            last = out.pop()
            out.append(replace(last, kind="item", text=f"{last.text}\n{block.text}"))
            continue
        if not out or not _only_a_grade(block) or out[-1].kind in ("heading", "table") or find_grades(out[-1].text):
            out.append(block)
            continue
        parts = [block.text]
        last = out.pop()
        parts.insert(0, _line(last))
        lead = last.lead
        while lead and out and out[-1].kind == "item" and out[-1].lead == lead and not find_grades(out[-1].text):
            parts.insert(0, _line(out.pop()))
        if lead and out and out[-1].text == lead:
            parts.insert(0, out.pop().text)
            lead = ""
        out.append(replace(last, kind="item", text="\n".join(parts), lead=lead))
    return tuple(out)


def _qualifies(block: Block) -> bool:
    return block.kind == "paragraph" and len(block.text) < 800 and _QUALIFYING.match(block.text) is not None


def _only_a_grade(block: Block) -> bool:
    if block.kind not in ("paragraph", "item") or len(block.text) > 300 or block.explains:
        return False
    marks = find_grades(block.text)
    rest = block.text
    for mark in reversed(marks):
        rest = rest[: mark.start] + rest[mark.end :]
    return bool(marks) and not rest.strip(" .;,:*")


def _line(block: Block) -> str:
    return f"- {block.text}" if block.kind == "item" and block.lead else block.text
