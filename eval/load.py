"""A plain load generator: requests as they were recorded, a fixed number at a time, and what came back.

It does nothing but send bytes and add up the `usage` of the replies, so what it reaches is what the server gives.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import httpx2

#: One request of the mix; a CPU server with a full queue takes its time.
TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a server sampled, and how long that took."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    #: Seconds of a core that this process used meanwhile.
    own_cpu_s: float

    @property
    def decode_tokens_per_second(self) -> float:
        """Sampled tokens by wall time."""
        return self.completion_tokens / self.seconds


async def replay(url: str, bodies: Iterable[bytes], concurrency: int) -> Load:
    """Post every body to `url` (".../v1/chat/completions"), `concurrency` at a time, in their order.

    Raises:
        httpx2.HTTPError: the server refused one or went away.
    """
    waiting = iter(bodies)
    counts: list[tuple[int, int]] = []
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    started, own = time.perf_counter(), time.process_time()
    async with httpx2.AsyncClient(timeout=TIMEOUT_S, limits=limits) as client:

        async def worker() -> None:
            for body in waiting:
                response = await client.post(url, content=body, headers={"content-type": "application/json"})
                response.raise_for_status()
                counts.append(_usage(response.content))

        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(worker())
    return Load(
        requests=len(counts),
        prompt_tokens=sum(prompt for prompt, _ in counts),
        completion_tokens=sum(completion for _, completion in counts),
        seconds=time.perf_counter() - started,
        own_cpu_s=time.process_time() - own,
    )


def salted(bodies: Iterable[bytes], salt: str) -> Iterator[bytes]:
    """The same requests under another `cache_salt`, so that nothing another run left in the cache is used."""
    for body in bodies:
        yield json.dumps({**json.loads(body), "cache_salt": salt}).encode()


def _usage(reply: bytes) -> tuple[int, int]:
    """Prompt and completion tokens of a reply, streamed or whole."""
    if reply.startswith(b"data: "):
        # The last chunk but the end mark carries them.
        reply = next(line for line in reversed(reply.splitlines()) if b'"usage"' in line).removeprefix(b"data: ")
    usage = json.loads(reply)["usage"]
    return usage["prompt_tokens"], usage["completion_tokens"]
