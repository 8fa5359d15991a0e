"""How a batch went, as figures."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

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
