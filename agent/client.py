"""The model client protocol: what the agent asks of a model server, and what comes back.

Any OpenAI-compatible endpoint can stand behind it. The records keep what training needs: the
prompt and sampled token ids as the server reports them, None where a server does not (missing is
None, never an empty list).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from agent.caution import Caution

Role = Literal["system", "user", "assistant"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(_Record):
    """One chat message; roles alternate after the system message."""

    role: Role
    content: str


class TokenLogprob(_Record):
    """A sampled token with its natural-log probability and the most likely alternatives."""

    token: str
    logprob: float
    #: Alternatives at this position (the sampled token may be among them), most likely first.
    top: tuple[tuple[str, float], ...] = ()


class Usage(_Record):
    """Token counts as the server reports them."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None


class CompletionRequest(_Record):
    """One call. `json_schema` or `grammar` (GBNF) constrains the reply where the server can; never both."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    seed: int | None = None
    json_schema: Mapping[str, object] | None = None
    grammar: str | None = None
    #: Beginnings of the reply, each with what is added to the log-odds of the token in which it first differs from the
    #: others; without effect where the server does not say how it cuts text into tokens.
    lean: Mapping[str, float] = {}
    #: How many alternatives to report for each sampled token, 0 to 20.
    top_logprobs: int = 0


class Completion(_Record):
    """A whole reply."""

    text: str
    finish_reason: str | None
    prompt_token_ids: tuple[int, ...] | None = None
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    usage: Usage = Usage()
    ttft_ms: float | None = None
    total_ms: float
    #: Said to see what follows, not because it is good; see `agent.rollout.RolloutStep`.
    explored: bool = False


class TextDelta(_Record):
    """A piece of a streamed reply."""

    text: str


class ModelIdentity(_Record):
    """Which model answers, as far as the server and the project's own manifest say."""

    model: str
    engine: str | None = None
    #: What it was trained to be: of an adapter merged into the weights its name and the start of its hash.
    adapter: str | None = None
    #: Name asked of the server; None asks for the adapter, else the model.
    served_as: str | None = None
    template_sha256: str | None = None
    #: True once the model was trained for this project's action protocol.
    trained: bool = False
    #: What was fitted for it, see `AgentSettings.caution`.
    caution: Caution = Caution()


class ModelClient(Protocol):
    """A model behind a small door. Implementations raise only `ModelError` subclasses."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""

    async def complete(self, request: CompletionRequest, timeout_s: float) -> Completion:
        """One non-streamed call, given up after `timeout_s` seconds.

        Raises:
            ModelUnavailableError, ModelTimeoutError, ModelStatusError
        """

    def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        """Text pieces as they are sampled, then exactly one `Completion` with the whole reply.

        Raises:
            ModelUnavailableError, ModelTimeoutError, ModelStatusError, ModelStreamBrokenError
        """

    async def ready(self) -> bool:
        """True when the server answers."""
