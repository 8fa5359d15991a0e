"""The documents whose commands and code the tests run, cut into blocks.

The words after the three backticks say what becomes of a block:

| words | what the tests do with it |
|---|---|
| `bash` | run it, in the order of the document, in one folder, beside a service that is up |
| `bash serves` | start it, wait until it listens, keep it up for the blocks after it |
| `bash not-run` | hold its commands and options against the program; the document says why it is not run |
| `python` | run it against the service |
| `env` | settings of clinsearch: read them |
| `env other`, `json other`, `yaml other` | of another program: read their form; the document says whose they are |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CLINICIAN, INTEGRATOR, ML_ENGINEER, OPERATOR = (
    ROOT / "docs" / f"{name}.md" for name in ("clinician", "integrator", "ml-engineer", "operator")
)
DOCUMENTS = (README, CLINICIAN, INTEGRATOR, ML_ENGINEER, OPERATOR)
RUN, SERVES, NOT_RUN, PYTHON, SETTINGS = "bash", "bash serves", "bash not-run", "python", "env"
OTHERS = ("env other", "json other", "yaml other")
KINDS = (RUN, SERVES, NOT_RUN, PYTHON, SETTINGS, *OTHERS)
_FENCE = re.compile(r"^ *```(.*)$")
_HERE = re.compile(r"<<'(\w+)'\n.*?^\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of a document."""

    document: Path
    section: str
    #: Of its first fence, from 1.
    line: int
    kind: str
    text: str
    #: The paragraph it follows.
    before: str

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"

    @property
    def is_shell(self) -> bool:
        """Whether it is made of commands."""
        return self.kind.startswith("bash")

    @property
    def command_lines(self) -> Iterator[str]:
        """Its commands, a line each: continued lines joined, what goes into files left out."""
        for line in _HERE.sub("", self.text).replace("\\\n", " ").splitlines():
            if line.strip():
                yield line


def blocks(document: Path) -> list[Block]:
    """The blocks of a document, in order. Raises ValueError where one is not closed."""
    found: list[Block] = []
    section, before, opened = "", [""], None
    inside: list[str] = []
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, inside = (number, fence[1].strip()), []
        elif opened is not None and fence:
            paragraph = " ".join(before).strip()
            found.append(Block(document, section, opened[0], opened[1], "\n".join([*inside, ""]), paragraph))
            opened, before = None, [""]
        elif opened is not None:
            inside.append(line)
        else:
            section = line.removeprefix("## ") if line.startswith("## ") else section
            # An empty line ends a paragraph when the next one begins, so that a block still sees what stands above it.
            before = [line] if line and not before[-1] else [*before, line]
    if opened is not None:
        raise ValueError(f"{document.name}:{opened[0]} is not closed")
    return found


def block_texts(document: Path, section: str, kind: str) -> list[str]:
    """The texts of a section's blocks of one kind."""
    return [block.text for block in blocks(document) if (block.section, block.kind) == (section, kind)]
