"""Which encoder is used: the one place that decides, from a name and a few options.

What has been run here with its real weights: all-MiniLM-L6-v2, and the scripted hashing encoder. For
the others only the mechanics are shown to be right, on small models with random weights and on a
scripted server; `UNPROVEN` names them, and `clinsearch settings show` says so.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from retrieval.encoders.base import Encoder
from retrieval.encoders.config import EncoderConfig, Pooling, Precision, TowerConfig
from retrieval.encoders.hashing import HashingEncoder
from retrieval.encoders.local import LocalEncoder
from retrieval.encoders.minilm import MiniLmEncoder
from retrieval.encoders.remote import RemoteConfig, RemoteEncoder
from retrieval.errors import EncoderError

EncoderKind = Literal["minilm", "hashing", "medcpt", "qwen3-embedding", "bge-m3", "local", "remote"]
#: Encoders that were never run here with their real weights.
UNPROVEN: frozenset[EncoderKind] = frozenset({"medcpt", "qwen3-embedding", "bge-m3", "local", "remote"})

#: As the model's card puts it, with a task of ours.
QWEN3_INSTRUCTION = "Instruct: Given a clinical question, retrieve guideline passages that answer it\nQuery:"


class EncoderOptions(BaseModel):
    """What an operator chooses; None leaves it to the encoder named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: EncoderKind = "minilm"
    #: Directory of the weights, or a hub id, which is then downloaded; for "remote" the model's name there.
    model: str | None = None
    #: Of the query encoder, where it is another model.
    query_model: str | None = None
    url: str | None = None
    api_key: SecretStr | None = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    pooling: Pooling | None = None
    max_tokens: Annotated[int | None, Field(ge=8)] = None
    dimension: Annotated[int | None, Field(ge=2)] = None
    precision: Precision | None = None
    batch_tokens: Annotated[int | None, Field(ge=8)] = None


_FED = frozenset({"model", "query_prefix", "passage_prefix", "max_tokens", "dimension"})
_RUN = frozenset({"precision", "batch_tokens"})
_APPLY: dict[EncoderKind, frozenset[str]] = {
    "minilm": frozenset({"precision"}),
    "hashing": frozenset(),
    "medcpt": frozenset({"model", "query_model"}) | _RUN,
    "qwen3-embedding": _FED | _RUN,
    "bge-m3": _FED | _RUN,
    "local": _FED | _RUN | {"query_model", "pooling"},
    "remote": _FED | {"url", "api_key"},
}


def make_encoder(options: EncoderOptions) -> Encoder:
    """The encoder that `options` name.

    Raises:
        EncoderError: an option is missing, wrong or does not apply, or the weights are not there.
    """
    kind = options.encoder
    given = {name for name, value in options if name != "encoder" and value is not None}
    if surplus := sorted(given - _APPLY[kind]):
        raise EncoderError(f"{_setting(surplus[0])} does not apply to the encoder {kind}: unset it.")
    try:
        match kind:
            case "hashing":
                return HashingEncoder()
            case "minilm":
                return MiniLmEncoder(precision=options.precision or "auto")
            case "remote":
                return _remote(options)
            case _:
                return LocalEncoder(local_config(options))
    except ValidationError as error:
        why = error.errors(include_input=False, include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise EncoderError(f"The settings of the encoder {kind} are wrong: {why}.") from None


def local_config(options: EncoderOptions) -> EncoderConfig:
    """The configuration of a local encoder named by preset ("medcpt", ...) or described ("local").

    Raises:
        EncoderError: an option is missing.
    """
    kind = options.encoder
    model = _required(options, "model")
    queries: TowerConfig
    match kind:
        case "medcpt":
            # The passage's own heading stands before the first full stop; see `retrieval.searched_text`.
            passages = TowerConfig(model=model, pooling="cls", max_tokens=512, pair_separator=". ")
            queries = TowerConfig(model=_required(options, "query_model"), pooling="cls", max_tokens=64)
        case "qwen3-embedding":
            # Longer than any passage; the model itself reads 32 000 tokens.
            passages = TowerConfig(model=model, pooling="last", max_tokens=options.max_tokens or 2048)
            queries = passages.model_copy(update={"prefix": QWEN3_INSTRUCTION})
        case "bge-m3":
            passages = queries = TowerConfig(model=model, pooling="cls", max_tokens=options.max_tokens or 8192)
        case _:
            limit = options.max_tokens or 512
            pooling = options.pooling or "mean"
            passages = TowerConfig(model=model, pooling=pooling, max_tokens=limit)
            queries = TowerConfig(model=options.query_model or model, pooling=pooling, max_tokens=limit)
    if options.passage_prefix is not None:
        passages = passages.model_copy(update={"prefix": options.passage_prefix})
    if options.query_prefix is not None:
        queries = queries.model_copy(update={"prefix": options.query_prefix})
    run = {"precision": options.precision, "batch_tokens": options.batch_tokens}
    return EncoderConfig.model_validate(
        {
            "name": kind if kind != "local" else model.rstrip("/").rsplit("/", 1)[-1],
            "queries": queries,
            "passages": passages,
            "dimension": options.dimension,
            **{name: value for name, value in run.items() if value is not None},
        }
    )


def _remote(options: EncoderOptions) -> RemoteEncoder:
    if options.dimension is None:
        raise EncoderError(f"The encoder remote needs the length of its vectors: set {_setting('dimension')}.")
    config = RemoteConfig(
        url=_required(options, "url"),
        model=_required(options, "model"),
        dimension=options.dimension,
        api_key=options.api_key,
        query_prefix=options.query_prefix or "",
        passage_prefix=options.passage_prefix or "",
        max_tokens=options.max_tokens or 512,
    )
    return RemoteEncoder(config)


def _required(options: EncoderOptions, name: str) -> str:
    value = getattr(options, name)
    if not value:
        raise EncoderError(f"The encoder {options.encoder} needs {_setting(name)}: set it.")
    return str(value)


def _setting(name: str) -> str:
    return f"CLINSEARCH_ENCODER_{name.upper()}"
