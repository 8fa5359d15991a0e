"""Do the descriptions of sources help to choose the right one?

Labelled questions, written for this project by a language model before any description was tried on them; which
half is for choosing wordings and which confirms was fixed in advance. Each question is put to a chooser together with
all sources: the served model through its real action schema, or the similarity of question and description. A set of
wordings is compared with bare names, question by question. A question of a source that is not among those measured
is left out and counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent import CompletionRequest, Message, ModelClient
from agent.actions import ActionKind, action_schema
from agent.probabilities import source_probabilities
from agent.prompts import system_message
from eval.retrieval.bootstrap import Interval, mean_interval, paired_difference
from eval.retrieval.errors import SetInvalidError
from retrieval import Source, SourceId, SourceRouter, with_added

QUESTIONS_FILE = Path(__file__).parent / "source_questions.jsonl"
WORDINGS_FILE = Path(__file__).parent / "source_wordings.jsonl"
#: A source as an operator might add it, so that built-in ones are measured beside one they were not made with.
EXAMPLE = Source(
    id=SourceId("local_formulary"),
    description="Drugs that our hospital stocks: formulary status, restrictions, preferred products, "
    "who may prescribe.",
)
NAMES = "bare names"
IN_FORCE = "in force"

_T = TypeVar("_T")
Split = Literal["dev", "test"]

#: Tokens up to and including the longest id; the query that follows decides nothing here.
_MAX_TOKENS = 32
_TIMEOUT_S = 120.0
_SOURCE = re.compile(r'"source"\s*:\s*"([a-z][a-z0-9_]*)"')


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceQuestion(_Record):
    """A question and the source it belongs to."""

    id: str
    question: str = Field(min_length=1)
    source: SourceId
    split: Split


class _Asked(BaseModel):
    """A row of another file: the rest of it is not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(min_length=1)
    source: SourceId


class Wording(_Record):
    """One description for each of some sources; others keep theirs."""

    name: str
    descriptions: dict[SourceId, str]

    def of(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """The sources as described here."""
        return tuple(
            source.model_copy(update={"description": self.descriptions.get(source.id, source.description)})
            for source in sources
        )


class Choice(_Record):
    """What a chooser took; None where its reply named no source."""

    source: SourceId | None
    #: Probability of each source, where the chooser has one.
    probabilities: dict[SourceId, float] | None = None


class Chooser(Protocol):
    """Chooses a source for a question."""

    async def choose(self, question: str, sources: Sequence[Source]) -> Choice:
        """One choice.

        Raises:
            ModelError, RetrievalError: the model server or the encoder failed.
        """
        ...


class RouterChooser:
    """A router of the product's; by descriptions with a margin of 0 it is the bare similarity of the two."""

    def __init__(self, router: SourceRouter) -> None:
        self._router = router

    async def choose(self, question: str, sources: Sequence[Source]) -> Choice:
        """See `Chooser.choose`."""
        return Choice(source=self._router.choose(question, sources))


class ModelChooser:
    """The served model with the agent's own system message and action schema, only a search permitted."""

    def __init__(self, client: ModelClient) -> None:
        self._client = client

    async def choose(self, question: str, sources: Sequence[Source]) -> Choice:
        """See `Chooser.choose`."""
        names = [str(source.id) for source in sources]
        request = CompletionRequest(
            messages=(system_message(sources), Message(role="user", content=question)),
            max_tokens=_MAX_TOKENS,
            json_schema=action_schema([ActionKind.SEARCH], names),
            top_logprobs=20,
        )
        reply = await self._client.complete(request, _TIMEOUT_S)
        named = _SOURCE.search(reply.text)
        probabilities = source_probabilities(reply.logprobs, names)
        return Choice(
            source=SourceId(named[1]) if named and named[1] in names else None,
            probabilities={SourceId(k): v for k, v in probabilities.items()} if probabilities else None,
        )


class SourceResult(_Record):
    """One wording with one chooser."""

    chooser: str
    wording: str
    split: Split
    chosen: dict[str, SourceId | None]
    #: By question id; 1 where the choice was right.
    right: dict[str, float]
    #: Right choices and questions by source.
    by_source: dict[SourceId, tuple[int, int]]
    #: Mean probability given to the right source; None where the chooser has none.
    mean_probability: float | None


class SourceReport(_Record):
    """All results of one run."""

    sources: tuple[Source, ...]
    left_out: int
    results: tuple[SourceResult, ...]

    def table(self) -> str:
        """The figures as lines of text: share right with a 95 % interval, the difference from bare names, by source."""
        chance = 1 / len(self.sources)
        lines = [
            f"{len(self.sources)} sources, chance {chance:.1%}; questions of other sources left out: {self.left_out}"
        ]
        names = {(result.chooser, result.split): result for result in self.results if result.wording == NAMES}
        for result in self.results:
            share = mean_interval(list(result.right.values()))
            line = f"{result.chooser:11} {result.split:4} {result.wording:14} {_shown(share)} of {len(result.right)}"
            base = names.get((result.chooser, result.split))
            if base is not None and base is not result:
                gain = paired_difference(list(result.right.values()), list(base.right.values()))
                line += f"   from names {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
            if result.mean_probability is not None:
                line += f"   mean probability of the right one {result.mean_probability:.2f}"
            lines.append(line)
            lines.append("    " + ", ".join(f"{name} {k}/{n}" for name, (k, n) in result.by_source.items()))
            taken = Counter(str(source) for source in result.chosen.values())
            lines.append("    chosen: " + ", ".join(f"{name} {count}" for name, count in taken.most_common()))
        return "\n".join(lines)


def source_questions(path: Path = QUESTIONS_FILE) -> tuple[SourceQuestion, ...]:
    """The questions, in the file's order.

    Raises:
        SetInvalidError: the file cannot be read; the message names the line.
    """
    return tuple(_lines(path, SourceQuestion.model_validate))


def other_questions(path: Path, sources: Sequence[Source], limit: int | None = None) -> tuple[SourceQuestion, ...]:
    """The questions of any JSONL whose rows have `question` and `source`; at most `limit` of each source.

    Their half is called "dev": nothing here is kept aside.

    Raises:
        SetInvalidError: the file cannot be read; the message names the line.
    """

    def read(row: object) -> SourceQuestion:
        found = _Asked.model_validate(row)
        return SourceQuestion(id=found.question, question=found.question, source=found.source, split="dev")

    rows = _lines(path, read)
    found: list[SourceQuestion] = []
    for source in sources:
        of_it = [row for row in rows if row.source == source.id]
        every = 1 if limit is None else max(1, -(-len(of_it) // limit))
        found += of_it[::every]
    return tuple(found)


def wordings(path: Path = WORDINGS_FILE) -> tuple[Wording, ...]:
    """The candidate wordings.

    Raises:
        SetInvalidError: the file cannot be read; the message names the line.
    """
    return tuple(_lines(path, Wording.model_validate))


def measured_sources(sources: Sequence[Source]) -> tuple[Source, ...]:
    """The sources with `EXAMPLE` among them, unless one of its id is there."""
    held = {source.id for source in sources}
    return with_added([] if EXAMPLE.id in held else [EXAMPLE], sources)


def bare_names(sources: Sequence[Source]) -> Wording:
    """The baseline: each source described by its id in words."""
    return Wording(name=NAMES, descriptions={source.id: source.id.replace("_", " ") for source in sources})


async def evaluate_sources(
    choosers: Mapping[str, Chooser],
    questions: Sequence[SourceQuestion],
    sources: Sequence[Source],
    candidates: Sequence[Wording],
    *,
    report: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
) -> SourceReport:
    """Put every question to every chooser with every wording, one after the other.

    Raises:
        ModelError, RetrievalError: a chooser failed.
    """
    held = {source.id for source in sources}
    asked = [question for question in questions if question.source in held]
    results = []
    for name, chooser in choosers.items():
        for wording in candidates:
            described = wording.of(sources)
            choices = {}
            for number, question in enumerate(asked, start=1):
                choices[question.id] = await chooser.choose(question.question, described)
                report(f"{name}, {wording.name}", number, len(asked))
            for split in sorted({question.split for question in asked}):
                part = [question for question in asked if question.split == split]
                results.append(_result(name, wording.name, split, part, choices))
    return SourceReport(sources=tuple(sources), left_out=len(questions) - len(asked), results=tuple(results))


def _result(
    chooser: str, wording: str, split: Split, asked: Sequence[SourceQuestion], choices: Mapping[str, Choice]
) -> SourceResult:
    right = {question.id: float(choices[question.id].source == question.source) for question in asked}
    given = [p.get(q.source, 0.0) for q in asked if (p := choices[q.id].probabilities) is not None]
    totals = Counter(question.source for question in asked)
    hits = Counter(question.source for question in asked if right[question.id])
    return SourceResult(
        chooser=chooser,
        wording=wording,
        split=split,
        chosen={question.id: choices[question.id].source for question in asked},
        right=right,
        by_source={source: (hits[source], total) for source, total in totals.items()},
        mean_probability=sum(given) / len(given) if given else None,
    )


def _shown(value: Interval) -> str:
    return f"{value.mean:.3f} ({value.low:.3f}-{value.high:.3f})"


def _lines(path: Path, read: Callable[[object], _T]) -> list[_T]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetInvalidError(f"The file {path.name} cannot be read: {type(error).__name__}.") from error
    items = []
    for number, line in enumerate(lines, start=1):
        try:
            items.append(read(json.loads(line)))
        except (ValueError, ValidationError) as error:
            raise SetInvalidError(f"{path.name} line {number} is not as it should be.") from error
    return items
