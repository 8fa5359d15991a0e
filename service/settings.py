"""Settings of a deployment: environment variables with the prefix CLINSEARCH_, all with working defaults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent import Audience, Budget
from agent.caution import Caution
from agent.run import AgentSettings
from retrieval import (
    WITHDRAWALS_FILE,
    EncoderKind,
    EncoderOptions,
    HomeRegion,
    Pooling,
    Precision,
    ServerSettings,
    Source,
    SourceId,
    StoreError,
    StoreKind,
    with_added,
)
from retrieval.reranking import LONGEST_DEADLINE_MS
from service.cds.clients import CdsClient, is_origin, is_web_address

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class Settings(BaseSettings):
    """Everything an operator can choose. `clinsearch settings show` prints the values in force."""

    model_config = SettingsConfigDict(env_prefix="CLINSEARCH_", frozen=True, extra="forbid")

    #: Index, records of runs, prepared model and logs live under this directory.
    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)

    #: Host names this service is reached by besides localhost, as JSON: '["search.example.org"]'.
    allowed_hosts: tuple[str, ...] = ()

    #: What callers of `clinsearch mcp --http` must send ("Authorization: Bearer KEY"). Unset: nobody is asked, and it
    #: listens on this machine only.
    mcp_key: SecretStr | None = Field(default=None, min_length=16)

    #: Any OpenAI-compatible server ("http://host:port/v1"); unset: the local server is started and used.
    model_url: str | None = None
    #: The name the model is served under.
    model_name: str = "clinsearch"
    model_api_key: SecretStr | None = None
    model_port: int = Field(default=8100, ge=1, le=65535)
    max_model_len: int = Field(default=4096, ge=1024)
    #: The model a GPU machine serves: a directory or a hub id.
    gpu_model: str = "Qwen/Qwen3-8B"
    #: A LoRA adapter, by its directory or as the name of one that ships: merged on CPU, loaded at run time on GPUs.
    #: Unset: the one that ships as the default, if it fits the prompt in force. "none": the untrained model.
    adapter: str | None = None
    #: Models the local server has besides the one in use, as JSON: '["base"]'. Each is named as `adapter` is, or
    #: "base"; on a CPU each has a server of its own on the ports after `model_port`.
    also: tuple[str, ...] = Field(default=(), max_length=16)
    #: Models on other servers, name to address, as JSON: '{"large": "http://host:8100/v1"}'.
    model_urls: dict[str, str] = {}
    #: An extra package index for the CPU build of PyTorch, where the default index has none.
    torch_index: str | None = None

    #: Country code of where this deployment's clinicians work ("GB"); its guidance comes first among equals.
    home_region: HomeRegion | None = None

    #: The organisation's policy file; unset: the one that ships. `clinsearch policy test` runs its examples.
    policy: Path | None = None
    #: Whom this deployment answers; unset: whom the policy says. It may narrow that ("public"), never widen it.
    audience: Audience | None = None

    #: Sources besides the built-in ones, as JSON: '[{"id": "local_formulary", "description": "...", "title": "..."}]'.
    #: One with the id of a built-in source takes its place.
    sources: tuple[Source, ...] = ()

    #: Where passages are searched: in process, in memory by the exact reference, or on a Qdrant server by URL.
    store: StoreKind = "edge"
    #: For `store=server`: "https://host:6333", its key, and the first part of its collections' names.
    qdrant_url: str | None = None
    qdrant_api_key: SecretStr | None = None
    qdrant_prefix: str = Field(default="clinsearch", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    #: Shards of a new collection (unset: the server's choice) and copies of each.
    qdrant_shards: int | None = Field(default=None, ge=1, le=1000)
    qdrant_replicas: int = Field(default=1, ge=1, le=10)
    #: What turns texts into vectors; `index build` after a change. "local" is any model in the transformers layout.
    encoder: EncoderKind = "minilm"
    #: Directory of its weights, or a hub id, which is then downloaded; for "remote" its name on the server.
    encoder_model: str | None = None
    #: Of the query encoder, where it is another model (medcpt).
    encoder_query_model: str | None = None
    #: For "remote": an OpenAI-compatible server, "https://host:8000/v1", and its key.
    encoder_url: str | None = None
    encoder_api_key: SecretStr | None = None
    #: Put before queries and before passages as they stand; unset: what the model's card says.
    encoder_query_prefix: str | None = None
    encoder_passage_prefix: str | None = None
    encoder_pooling: Pooling | None = None
    encoder_max_tokens: int | None = Field(default=None, ge=8)
    #: Leading components that are kept of a vector (Matryoshka); for "remote" the length of its vectors.
    encoder_dimension: int | None = Field(default=None, ge=2)
    #: Of passages: "auto" is bf16 where the CPU multiplies it natively.
    encoder_precision: Precision | None = None
    #: Tokens in one forward pass.
    encoder_batch_tokens: int | None = Field(default=None, ge=8)

    #: Queries encoded by weights trained on clinicians' questions, for the encoder minilm; "auto" takes them where
    #: their card says that they helped.
    adapted_queries: Literal["auto", "on", "off"] = "auto"
    #: Sources whose searches use them; empty: every search.
    adapted_query_sources: tuple[SourceId, ...] = (SourceId("guidelines"),)
    #: An adapter directory made by `clinsearch train queries`; unset: the one that ships.
    query_adapter: Path | None = None

    #: Whether recommendations are also found by the questions that were written for them ahead of any search: those
    #: that come with the package and those of `index predict`. `index build` after a change.
    predicted_queries: Literal["on", "off"] = "on"

    #: A cross-encoder's second look at the first candidates; "auto" takes it where its card says that it helped with
    #: clinicians' questions on guidelines.
    rerank: Literal["auto", "on", "off"] = "auto"
    rerank_candidates: int = Field(default=30, ge=2, le=100)
    #: What a search waits for it at most; then it answers without.
    rerank_deadline_ms: float = Field(default=1500.0, gt=0, le=LONGEST_DEADLINE_MS)
    #: Sources whose passages it orders; empty: all. It learnt from guidelines above all.
    rerank_sources: tuple[SourceId, ...] = (SourceId("guidelines"),)
    #: An adapter directory made by `clinsearch train reranker`; unset: the one that ships.
    rerank_adapter: Path | None = None

    #: An adapter directory made by `clinsearch train entailment`: a learnt second opinion on sentences with words that
    #: the gate's rules do not know. Unset: the rules alone.
    entailment_adapter: Path | None = None

    #: "auto": a local model that was not trained for the action protocol may only search first, and its
    #: words are not used as answers. "free": the model decides everything.
    model_policy: Literal["auto", "free", "search_first"] = "auto"
    #: Whether the model's words are used: "auto" follows `model_policy`.
    write_answers: Literal["auto", "always", "never"] = "auto"
    #: "quoted": answers are made of the statements of the recommendations, word for word, where the server takes a
    #: grammar. "free": the model chooses its words. The gate checks both.
    answers: Literal["quoted", "free"] = "quoted"
    #: "near": a model that chooses sources is first offered guidelines, information for patients or both, by which
    #: holds the nearer passage. "all": always all, for a model that chooses better than that.
    first_sources: Literal["near", "all"] = "near"
    #: Taken from the log-odds of answering: the more, the oftener the model searches again or declines, rightly and
    #: wrongly. In place of all that was fitted for the adapter in use, see its card; 0 leaves the choice to the model.
    caution: float | None = Field(default=None, ge=-20, le=20)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    max_steps: int = Field(default=6, ge=1, le=50)
    max_run_tokens: int = Field(default=24_000, ge=100)
    max_run_seconds: float = Field(default=60.0, gt=0)
    model_timeout_s: float = Field(default=30.0, gt=0)
    #: Runs in progress at once; more get 503 with Retry-After. What the model can carry, not the service: one
    #: process has had 500 streams open (`python -m eval.bench_streams`).
    max_concurrent_runs: int = Field(default=64, ge=1)
    #: How long a run whose resumable stream broke waits for its reader to come back, seconds; then it is ended. 0: it
    #: ends at once, as one whose stream is not resumable does.
    resume_s: float = Field(default=30.0, ge=0, le=600)

    #: "off": no conversation is kept, there is no feedback, and the page holds a conversation until it is closed.
    conversations: Literal["on", "off"] = "on"
    #: Where conversations and feedback are kept, as SQLAlchemy writes it; unset: a SQLite file in the data directory.
    records_url: SecretStr | None = None
    #: Header in which a proxy in front names who is signed in ("X-Forwarded-User"). Only where nothing else can reach
    #: the service: whoever can, can claim any name. Unset: each browser is a person.
    user_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")

    #: The address that health record systems know this service by, "https://cds.example.org": audience of their tokens.
    cds_url: str = ""
    #: Trusted systems with their public keys, as JSON: '[{"issuer": "https://ehr.example.org/", "jwks_file": "..."}]'.
    cds_clients: tuple[CdsClient, ...] = Field(default=(), max_length=100)
    #: Origins of record systems that call from a browser, as JSON: '["https://ehr.example.org"]'.
    cds_origins: tuple[str, ...] = Field(default=(), max_length=100)
    #: CDS Hooks for health record systems at /cds-services: "on" asks every caller for a token of one of `cds_clients`;
    #: "open" asks nobody, only for trying it on this machine.
    cds: Literal["off", "on", "open"] = "off"

    #: OTLP/HTTP endpoint for traces ("http://host:4318/v1/traces"); unset: no traces leave the process.
    otlp_endpoint: str | None = None

    @field_validator("also")
    @classmethod
    def _also_differ(cls, also: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        _need_different([info.data.get("model_name"), *(Path(model).name for model in also)])
        return also

    @field_validator("model_urls")
    @classmethod
    def _addresses(cls, urls: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for name, url in urls.items():
            if not name or not url.startswith(("http://", "https://")):
                raise ValueError(f"{name or 'a model without a name'} needs an address like http://host:8100/v1")
        _need_different(
            [info.data.get("model_name"), *(Path(model).name for model in info.data.get("also", ())), *urls]
        )
        return urls

    @field_validator("cds_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not is_origin(origin):
                raise ValueError('an origin is a scheme and a host, like "https://ehr.example.org"; no "*", no path')
        return origins

    @field_validator("cds_clients")
    @classmethod
    def _issuers_differ(cls, clients: tuple[CdsClient, ...]) -> tuple[CdsClient, ...]:
        if len({client.issuer for client in clients}) < len(clients):
            raise ValueError("two clients have the same issuer")
        return clients

    @field_validator("cds_url")
    @classmethod
    def _cds_address(cls, url: str) -> str:
        if url and not is_web_address(url):
            raise ValueError("it needs an address like https://cds.example.org")
        return url

    @field_validator("cds")
    @classmethod
    def _cds_is_guarded(cls, cds: str, info: ValidationInfo) -> str:
        given = info.data.get
        if cds == "on" and not (given("cds_clients") and given("cds_url")):
            raise ValueError("on needs CLINSEARCH_CDS_CLIENTS and CLINSEARCH_CDS_URL")
        if cds == "open" and (given("host") not in _THIS_MACHINE or given("allowed_hosts")):
            raise ValueError(
                "open asks nobody who they are, so the service must listen on this machine only (CLINSEARCH_HOST) "
                "and have no CLINSEARCH_ALLOWED_HOSTS; elsewhere use on"
            )
        return cds

    @model_validator(mode="after")
    def _sources_fit_together(self) -> Self:
        with_added(self.sources)
        return self

    @property
    def all_sources(self) -> tuple[Source, ...]:
        """The built-in sources and those of this deployment."""
        return with_added(self.sources)

    @property
    def index_dir(self) -> Path:
        return self.data_dir / "index"

    @property
    def predicted_dir(self) -> Path:
        """Predicted queries that were written here; see `clinsearch index predict`."""
        return self.data_dir / "predicted"

    @property
    def withdrawals_file(self) -> Path:
        return self.data_dir / WITHDRAWALS_FILE

    @property
    def journal_dir(self) -> Path:
        return self.data_dir / "rollouts"

    @property
    def records_file(self) -> Path:
        return self.data_dir / "records.sqlite"

    @property
    def model_dir(self) -> Path:
        return self.data_dir / "model"

    @property
    def local_model_url(self) -> str:
        return f"http://127.0.0.1:{self.model_port}/v1"

    @property
    def also_ports(self) -> dict[str, int]:
        """Port of each model of `also` where each has a server of its own."""
        return {name: self.model_port + place for place, name in enumerate(self.also, start=1)}

    def encoder_options(self) -> EncoderOptions:
        """What was chosen of the encoder."""
        names = (name for name in EncoderOptions.model_fields if name != "encoder")
        return EncoderOptions(encoder=self.encoder, **{name: getattr(self, f"encoder_{name}") for name in names})

    def server_settings(self) -> ServerSettings | None:
        """The Qdrant server of `store=server`; None where no address is set.

        Raises:
            StoreError: the address is not one, or would send the key in the clear.
        """
        if self.qdrant_url is None:
            return None
        try:
            return ServerSettings(
                url=self.qdrant_url,
                api_key=self.qdrant_api_key,
                prefix=self.qdrant_prefix,
                shards=self.qdrant_shards,
                replicas=self.qdrant_replicas,
            )
        except ValidationError as error:
            why = error.errors(include_input=False, include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise StoreError(f"The setting CLINSEARCH_QDRANT_URL is wrong: {why}.") from None

    def agent_settings(self, *, trained: bool, caution: Caution | None = None) -> AgentSettings:
        """The loop's settings for a model that was, or was not, trained for the action protocol.

        `caution` is what was fitted for it; a setting goes before the whole of it.
        """
        fitted = caution or Caution()
        narrow = self.model_policy == "search_first" or (self.model_policy == "auto" and not trained)
        write = self.write_answers == "always" or (self.write_answers == "auto" and (trained or not narrow))
        return AgentSettings(
            budget=Budget(steps=self.max_steps, tokens=self.max_run_tokens, wall_clock_s=self.max_run_seconds),
            call_timeout_s=self.model_timeout_s,
            temperature=self.temperature,
            search_first=narrow,
            write_answers=write,
            caution=fitted if self.caution is None else Caution(constant=self.caution),
            quote=self.answers == "quoted",
            near_sources_first=self.first_sources == "near",
        )


def _need_different(names: Sequence[str | None]) -> None:
    """A question names its model, so no two may have one name."""
    if len(set(names)) < len(names):
        raise ValueError("two models have the same name")
