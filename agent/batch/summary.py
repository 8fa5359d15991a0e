"""How a batch went, as figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from agent.batch.tally import Tally
from agent.batch.tasks import BadLine


class BatchSummary(BaseModel):
    """One call of `generate`. Counts are of askings (question x repetition) unless they say otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    #: Askings this shard had when it began; less the lines that repeat a question.
    wanted: int
    done_before: int
    generated: int
    #: Not kept because the model server stayed away; the same command asks them again.
    owed: int
    #: Lines whose question stood in the file before.
    repeated_lines: int
    bad_lines: tuple[BadLine, ...]
    stop_reasons: dict[str, int]
    #: Failures that were handled inside kept runs, by code.
    failures: dict[str, int]
    searches: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    @property
    def completion_tokens_per_second(self) -> float | None:
        """Sampled tokens a second over the whole call; None where no time passed."""
        return self.completion_tokens / self.seconds if self.seconds > 0 else None

    @classmethod
    def of_shards(cls, parts: Iterable[BatchSummary], lost: Tally, seconds: float) -> BatchSummary:
        """The shards of one file as one batch.

        `lost` counts what workers wrote before they died: to whoever went on with their shards it was there before.
        """
        held = list(parts)
        return cls(
            wanted=sum(part.wanted for part in held),
            done_before=sum(part.done_before for part in held) - lost.askings,
            generated=sum(part.generated for part in held) + lost.askings,
            owed=sum(part.owed for part in held),
            repeated_lines=sum(part.repeated_lines for part in held),
            bad_lines=tuple(sorted((line for part in held for line in part.bad_lines), key=lambda bad: bad.line)),
            stop_reasons=dict(sum((Counter(part.stop_reasons) for part in held), lost.stop_reasons)),
            failures=dict(sum((Counter(part.failures) for part in held), lost.failures)),
            searches=sum(part.searches for part in held) + lost.searches,
            prompt_tokens=sum(part.prompt_tokens for part in held) + lost.prompt_tokens,
            completion_tokens=sum(part.completion_tokens for part in held) + lost.completion_tokens,
            seconds=seconds,
        )

    def lines(self) -> list[str]:
        """The figures as lines of text."""
        rate = self.completion_tokens_per_second
        lines = [
            f"runs       {self.generated} made, {self.done_before} were there before, {self.owed} owed",
            f"searches   {self.searches}",
            f"tokens     {self.prompt_tokens:,} prompt, {self.completion_tokens:,} sampled"
            + (f", {rate:,.0f} sampled a second" if rate is not None else ""),
            f"time       {self.seconds:,.1f} s",
        ]
        lines += [f"stopped    {name} {count}" for name, count in sorted(self.stop_reasons.items())]
        lines += [f"failure    {name} {count}" for name, count in sorted(self.failures.items())]
        if self.repeated_lines:
            lines.append(f"repeated   {self.repeated_lines} lines ask what an earlier line asks; asked once")
        lines += [f"bad line   {bad.line}: {bad.why}" for bad in self.bad_lines[:10]]
        if len(self.bad_lines) > 10:
            lines.append(f"bad line   and {len(self.bad_lines) - 10} more")
        return lines
