"""Preference pairs as a trainer takes them: ids, and masks that are 1 on the tokens that carry loss.

Two files are read. `dpo` rows are messages, one reply against another in the same state; every token of a reply counts.
`dpo-traj` rows are whole runs as ids, with what was retrieved masked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from agent import Message
from training.export.rendering import Renderer
from training.stages.rows import DataFile, Origin, checked_rows, data_file


class Pair(BaseModel):
    """A shared prompt and what followed it, better and worse."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt_ids: tuple[int, ...]
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]
    chosen_mask: tuple[Annotated[int, Field(ge=0, le=1)], ...]
    rejected_mask: tuple[Annotated[int, Field(ge=0, le=1)], ...]
    provenance: Origin

    @property
    def tokens(self) -> int:
        """Of both sides, each with the prompt."""
        return 2 * len(self.prompt_ids) + len(self.chosen_ids) + len(self.rejected_ids)


class _Messages(BaseModel):
    """A row of the format `dpo`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    provenance: Origin


def read_pairs(path: Path, renderer: Renderer, max_tokens: int) -> list[Pair]:
    """Every pair of a file.

    Raises:
        TrainingDataError: it cannot be read, is empty, or has a row that is broken, too long, trains nothing or that
            nobody agreed to.
    """
    return checked_rows(
        path, "dpo|dpo-traj", lambda line: _pair(line, renderer), lambda pair: _refusal(pair, max_tokens)
    )


def describe_pairs(path: Path, pairs: Sequence[Pair]) -> DataFile:
    """The file for the card."""
    return data_file(
        path,
        [pair.provenance for pair in pairs],
        tokens=sum(pair.tokens for pair in pairs),
        loss_tokens=sum(sum(pair.chosen_mask) + sum(pair.rejected_mask) for pair in pairs),
    )


def _pair(line: str, renderer: Renderer) -> Pair:
    row = json.loads(line)
    if not isinstance(row, dict) or "prompt" not in row:
        return Pair.model_validate(row)
    said = _Messages.model_validate(row)
    (chosen,), (rejected,) = said.chosen, said.rejected
    better, worse = renderer.sample(chosen.content), renderer.sample(rejected.content)
    return Pair(
        prompt_ids=tuple(renderer.prompt(said.prompt)),
        chosen_ids=tuple(better),
        rejected_ids=tuple(worse),
        chosen_mask=(1,) * len(better),
        rejected_mask=(1,) * len(worse),
        provenance=said.provenance,
    )


def _refusal(pair: Pair, max_tokens: int) -> str | None:
    if (len(pair.chosen_ids), len(pair.rejected_ids)) != (len(pair.chosen_mask), len(pair.rejected_mask)):
        return "ids and masks differ in number"
    longest = len(pair.prompt_ids) + max(len(pair.chosen_ids), len(pair.rejected_ids))
    if longest > max_tokens:
        return f"{longest} tokens, more than max_tokens = {max_tokens}; export it with --max-tokens"
    if not any(pair.chosen_mask) or not any(pair.rejected_mask):
        return "no token of one side was sampled, so there is nothing to compare"
    if not pair.provenance.training_consent:
        return "its training was not agreed to"
    return None
