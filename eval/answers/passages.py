"""The passages that runs retrieved, kept whole beside them: what their sentences are checked against, at any time.

A record holds the hash of what the model was shown and not its text. The index may be built anew before the runs are
scored again, so the texts are written down when the questions are asked, and a text whose hash differs is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent import Rollout
from eval.retrieval.errors import OutputError, SetInvalidError, SetMissingError
from retrieval import PassageId, Searcher
from retrieval.documents import sha256_of
from retrieval.files import write_atomically

#: Beside the directories of runs.
PASSAGES_FILE = "passages.jsonl"


class KeptPassage(BaseModel):
    """One passage as it may be cited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: PassageId
    #: The headings it stands under; the guideline's own title is left out, for its year would bear out any "2024".
    heading: str
    #: The recommendation with its grade, population and contraindications.
    citable: str

    @property
    def whole(self) -> str:
        """What a sentence may rest on."""
        return f"{self.heading}\n{self.citable}"


Passages = Mapping[PassageId, KeptPassage]


def keep_passages(directory: Path, rollouts: Iterable[Rollout], searcher: Searcher) -> None:
    """Write down every passage that these runs retrieved, beside those that are kept already.

    Raises:
        SetInvalidError: a passage is not in the index any more, or says something else than the model was shown.
        OutputError: the file cannot be written.
    """
    file = directory / PASSAGES_FILE
    kept = dict(read_passages(directory)) if file.is_file() else {}
    before = len(kept)
    for rollout in rollouts:
        for entry in rollout.retrieval:
            for hit in entry.hits:
                passage_id = PassageId(hit.passage_id)
                if passage_id not in kept:
                    kept[passage_id] = _looked_up(passage_id, searcher)
                if sha256_of(kept[passage_id].citable) != hit.text_sha256:
                    raise SetInvalidError(
                        f"The passage {passage_id[:80]} has changed since it was cited: ask again into an empty folder."
                    )
    if len(kept) == before and file.is_file():
        return
    try:
        with write_atomically(file) as out:
            for passage in kept.values():
                out.write(json.dumps(passage.model_dump(mode="json"), ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise OutputError(f"{PASSAGES_FILE} could not be written: {error.strerror}.") from error


def read_passages(directory: Path) -> Passages:
    """The passages kept in a directory, by id.

    Raises:
        SetMissingError, SetInvalidError: the file is not there, or is damaged.
    """
    file = directory / PASSAGES_FILE
    if not file.is_file():
        raise SetMissingError(f"There is no {PASSAGES_FILE} in {directory}.")
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
        kept = [KeptPassage.model_validate_json(line) for line in lines if line]
    except (OSError, ValueError, ValidationError) as error:
        raise SetInvalidError(f"The file {PASSAGES_FILE} cannot be read: {type(error).__name__}.") from error
    return {passage.id: passage for passage in kept}


def _looked_up(passage_id: PassageId, searcher: Searcher) -> KeptPassage:
    hit = searcher.hit(passage_id)
    if hit is None:
        raise SetInvalidError(f"The passage {passage_id[:80]} is not in the index any more.")
    heading = " | ".join(part for part in hit.passage.section if part != hit.document.title)
    return KeptPassage(id=passage_id, heading=heading, citable=hit.passage.citable_text)
