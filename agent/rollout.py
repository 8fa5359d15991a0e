"""`rollout.v1`: one run as one record, for audit, replay, evaluation and training.

`messages` is a valid OpenAI request body; each step names how many of them its prompt held, so
re-rendering them with the recorded template gives the prompt token ids the server saw. Token ids
are None where a server reports none. Text arrays are the clinician's: keep the file as you keep a
patient record.
"""

from __future__ import annotations

import secrets
import time
from typing import Literal, NewType

from pydantic import BaseModel, ConfigDict, Field

from agent.actions import ActionKind
from agent.answer import Answer, StopReason
from agent.caution import Caution, Signs
from agent.client import Completion, Message, TokenLogprob, Usage
from agent.events import Failure
from agent.gate import Verdict
from agent.origin import Split
from agent.patient import PassageConflicts, Patient
from agent.policy import Audience
from agent.probabilities import ActionProbabilities
from retrieval import SearchFilters
from retrieval.filters import NO_FILTERS

RolloutId = NewType("RolloutId", str)
ROLLOUT_SCHEMA: Literal["rollout.v1"] = "rollout.v1"
#: Names of the files that a journal keeps runs in.
SEGMENT_PATTERN = "rollouts-*.jsonl"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_rollout_id() -> RolloutId:
    """A ULID: 48 bits of milliseconds and 80 random bits, 26 characters, sorts by time."""
    value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return RolloutId("".join(_CROCKFORD[(value >> (5 * i)) & 31] for i in range(25, -1, -1)))


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Timing(_Record):
    """Milliseconds of one model call; `ttft_ms` only where the call streamed."""

    ttft_ms: float | None = None
    total_ms: float


class RolloutStep(_Record):
    """One model call: a training row. Its prompt is `messages[:prompt_messages]`."""

    i: int
    kind: Literal["decide", "repair", "answer", "reword"]
    prompt_messages: int
    prompt_token_ids: tuple[int, ...] | None
    token_ids: tuple[int, ...] | None
    logprobs: tuple[TokenLogprob, ...] | None
    finish_reason: str | None
    usage: Usage
    t: Timing
    permitted: tuple[ActionKind, ...] = ()
    action: ActionKind | None = None
    probabilities: ActionProbabilities | None = None
    attempts: int = 1
    #: A teacher's deliberate misstep, so that a model learns to go on from one: context for what follows, never
    #: trained on itself.
    explored: bool = False

    @classmethod
    def of(
        cls,
        completion: Completion,
        *,
        i: int,
        kind: Literal["decide", "repair", "answer", "reword"],
        prompt_messages: int,
        attempts: int,
        permitted: tuple[ActionKind, ...] = (),
        action: ActionKind | None = None,
        probabilities: ActionProbabilities | None = None,
    ) -> RolloutStep:
        """The call that gave this completion."""
        return cls(
            i=i,
            kind=kind,
            prompt_messages=prompt_messages,
            prompt_token_ids=completion.prompt_token_ids,
            token_ids=completion.token_ids,
            logprobs=completion.logprobs,
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            t=Timing(ttft_ms=completion.ttft_ms, total_ms=completion.total_ms),
            permitted=permitted,
            action=action,
            probabilities=probabilities,
            attempts=attempts,
            explored=completion.explored,
        )


class RetrievedPassage(_Record):
    """One hit as logged: ids, ranks and the hash of what the model was shown."""

    document_id: str
    passage_id: str
    key: str
    rank: int
    score: float
    bm25_rank: int | None
    dense_rank: int | None
    text_sha256: str
    #: Not shown to the model: found because it disagrees with what was.
    beside: bool = False


class RetrievalEntry(_Record):
    """One search. `step` is the decision that asked for it; None when the service searched by itself."""

    step: int | None
    source: str
    queries: tuple[str, ...]
    index_version: str
    hits: tuple[RetrievedPassage, ...]
    #: Found and left out as off the subject: not among `hits`.
    below_floor: int = 0
    #: What it showed of whether it answers; None where that is not known.
    signs: Signs | None = None
    #: Whether the reranker had a say in the order; None in records that do not say it.
    reranked: bool | None = None
    total_ms: float


class Outcome(_Record):
    status: Literal["completed", "failed", "aborted"]
    stop_reason: StopReason | None
    failures: tuple[Failure, ...] = ()
    searches: int


class Policy(_Record):
    """What produced the run, as hashes and names."""

    model: str
    engine: str | None
    adapter: str | None
    template_sha256: str | None
    prompt_sha256: str
    temperature: float
    seed: int | None
    #: The model's choice of actions was narrowed because it is not trained for them.
    search_first: bool
    #: The first search was offered only the sources near the question, see `AgentSettings`.
    near_sources_first: bool = False
    #: Answers were made of the evidence's own statements.
    quote: bool = False
    #: Taken from the log-odds of answering, see `AgentSettings`.
    caution: Caution = Caution()


class GuardRecord(_Record):
    """Under which policy of the organisation the question was answered, and what it did."""

    policy_version: str
    #: Of the policy file.
    policy_sha256: str
    audience: Audience
    #: Ids of rules; None where nothing was refused.
    refused: str | None = None
    notices: tuple[str, ...] = ()


class Labels(_Record):
    """Judgements joined later by rollout id; None means not judged."""

    thumbs: Literal["up", "down"] | None = None
    votes: dict[str, int] | None = None
    grade: float | None = None


class Provenance(_Record):
    """Where the question came from and whether it may be trained on."""

    producer: str
    question_source: str
    training_consent: bool = False
    licence: str | None = None
    #: Task key of the first turn of a batch's episode; its turns share it.
    episode: str | None = None
    index_version: str


class Rollout(_Record):
    """One finished run."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, populate_by_name=True)

    schema_: Literal["rollout.v1"] = Field(default=ROLLOUT_SCHEMA, alias="schema")
    rollout_id: RolloutId
    #: SHA-256 of the canonical task (question, history, filters): the same question has the same key.
    task_key: str
    rep: int = 0
    created_at: str
    split: Split = "prod"
    policy: Policy
    #: None in runs recorded before there was one.
    guard: GuardRecord | None = None
    #: What the search was limited to.
    filters: SearchFilters = NO_FILTERS
    home_region: str | None = None
    messages: tuple[Message, ...]
    steps: tuple[RolloutStep, ...]
    retrieval: tuple[RetrievalEntry, ...]
    verdicts: tuple[Verdict, ...]
    answer: Answer | None
    #: What was read of the patient, and what that rules out; None in records that are older than this.
    patient: Patient | None = None
    patient_conflicts: tuple[PassageConflicts, ...] = ()
    outcome: Outcome
    labels: Labels = Labels()
    provenance: Provenance
    duration_ms: float
    #: Whoever asked deleted it: nothing that was typed or written is left, see `agent.erasing`.
    erased: bool = False
