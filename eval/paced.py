"""A model client that says what another one says, in the time a real server needs to sample as many tokens.

For measuring: the runs are those of a model that knows what to do, the server's work is real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent import Completion, CompletionRequest, ModelClient, ModelIdentity
from agent.client import TextDelta

#: Of English text in the small model's vocabulary.
CHARS_PER_TOKEN = 4


class PacedModel:
    """Texts of one client at the pace of another."""

    def __init__(self, texts: ModelClient, deciding: ModelClient, writing: ModelClient) -> None:
        """`writing` has to sample up to `max_tokens` whatever it says; `deciding` may end its JSON earlier."""
        self._texts = texts
        self._deciding = deciding
        self._writing = writing

    @property
    def identity(self) -> ModelIdentity:
        """See `ModelClient.identity`."""
        return self._deciding.identity

    async def ready(self) -> bool:
        """See `ModelClient.ready`."""
        return await self._deciding.ready()

    async def complete(self, request: CompletionRequest, timeout_s: float) -> Completion:
        """See `ModelClient.complete`."""
        text = (await self._texts.complete(request, timeout_s)).text
        done = await self._deciding.complete(_cut_to(text, request), timeout_s)
        return done.model_copy(update={"text": text, "finish_reason": "stop"})

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        """See `ModelClient.stream`."""
        said = [item.text async for item in self._texts.stream(request, timeout_s) if isinstance(item, TextDelta)]
        text = "".join(said)
        pieces = (text[start : start + CHARS_PER_TOKEN] for start in range(0, len(text), CHARS_PER_TOKEN))
        async for item in self._writing.stream(_cut_to(text, request), timeout_s):
            if isinstance(item, TextDelta):
                piece = next(pieces, None)
                if piece is not None:
                    yield TextDelta(text=piece)
            else:
                yield TextDelta(text="".join(pieces))
                yield item.model_copy(update={"text": text, "finish_reason": "stop"})


def _cut_to(text: str, request: CompletionRequest) -> CompletionRequest:
    """The request for as many tokens as `text` has, and no more than were asked for."""
    tokens = -(-len(text) // CHARS_PER_TOKEN)
    return request.model_copy(update={"max_tokens": max(1, min(request.max_tokens, tokens))})
