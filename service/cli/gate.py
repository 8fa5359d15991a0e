"""`clinsearch gate check FILE.jsonl`: what the answer gate alone says of sentences, to measure it on pairs.

A row is {"id": ..., "sentence": ..., "passage": {"text": ..., "strength"?: ..., "title"?: ...}}; other fields are left
unread. The sentence carries no key: the command cites the row's passage for it. One verdict a row goes to standard
output, in the file's order. The gate is the one that the service would use: with the entailment scorer where
`CLINSEARCH_ENTAILMENT_ADAPTER` names one, else the rules alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.evidence import EvidenceBook
from agent.gate import AnswerGate, SecondOpinion, Verdict
from agent.sentences import DraftSentence, SentenceSplitter
from retrieval import Document, DocumentId, Hit, Passage, PassageId, PassageKind, SourceId
from service.cli.common import errors_as_sentences, load_settings, stop
from service.entailment import make_second_opinion

app = typer.Typer(help="The answer gate alone.", no_args_is_help=True)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _PairPassage(_Model):
    text: str = Field(min_length=1)
    strength: str | None = None
    title: str = ""


class _Pair(_Model):
    id: str
    sentence: str = Field(min_length=1)
    passage: _PairPassage


@app.callback()
def group() -> None:
    """The answer gate alone."""


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="Pairs, one JSON object a line.", metavar="FILE.jsonl")],
) -> None:
    """Say of each sentence whether its passage says it: {"id", "shown", "reason"} a line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise stop(f"{path} cannot be read: {error}.") from error
    # All rows are read before the first verdict: half an output is easily taken for all of it.
    pairs = [_pair(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    with errors_as_sentences():
        opinion = make_second_opinion(load_settings())
    for pair in pairs:
        verdict = _verdict(pair, opinion)
        row = {"id": pair.id, "shown": verdict.shown, "reason": verdict.reason}
        typer.echo(json.dumps(row, ensure_ascii=False))


def _pair(path: Path, number: int, line: str) -> _Pair:
    try:
        return _Pair.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise stop(f"{path}, line {number}: {f'{where}: ' if where else ''}{first['msg']}.") from error


def _verdict(pair: _Pair, opinion: SecondOpinion | None) -> Verdict:
    document = Document(
        id=DocumentId("pair"), source=SourceId("pairs"), title=pair.passage.title, publisher="pairs", region="INT"
    )
    passage = Passage(
        id=PassageId("pair/1"),
        document_id=document.id,
        kind=PassageKind.RECOMMENDATION,
        text=pair.passage.text,
        strength=pair.passage.strength,
    )
    book = EvidenceBook("pairs")
    evidence, _ = book.add(Hit(rank=1, score=1.0, passage=passage, document=document))
    gate, splitter = AnswerGate(book, entailment=opinion), SentenceSplitter()
    # As in an answer: what is several sentences is judged one by one, and shown where all of them would be.
    parts = [*splitter.feed(pair.sentence), *splitter.close()]
    for part in parts or [DraftSentence(text=pair.sentence, keys=(), raw=pair.sentence)]:
        verdict = gate.check(DraftSentence(text=part.text, keys=(evidence.key,), raw=part.raw))
        if not verdict.shown:
            break
    return verdict
