"""The exact command that serves the model, and starting it in the place of this process.

The project talks HTTP to the server and never imports it. `server_command` is pure, so that what is run
can be read and tested without running it.

Measured on 2 CPU cores: eager mode starts in 30 s and decodes 36 tokens/s for one request and 340 for 16;
compiled, 76 to 100 s and 43 and 390. Eager is the default because it also needs no C++ compiler.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.templates import CHAT_TEMPLATE
from service.model.adapter import Adapter
from service.model.environment import ModelEnvironment
from service.model.errors import ModelNotPreparedError, PortInUseError
from service.model.manifest import ModelManifest, read_model_manifest
from service.ports import port_is_free

#: More requests at once gain nothing on a few cores and make each of them slower.
CPU_MAX_REQUESTS = 16
#: GB of memory for the key-value cache: 93 000 tokens of the small model, 22 whole contexts.
CPU_CACHE_GB = 2
# prctl(2)
_PR_SET_PDEATHSIG = 1
#: Ranks that the server can be told to expect.
_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(frozen=True)
class ServedModel:
    """What is served: `path` is a directory, or a hub id on a GPU machine."""

    path: str
    name: str
    max_model_len: int
    adapter: Adapter | None = None
    #: Trained to write actions; true also where an adapter was merged into the weights.
    trained: bool = False
    #: On a GPU: other models of the same server by name, None for the one without an adapter.
    also: Mapping[str, Adapter | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ServerCommand:
    """A program with its arguments, and what it needs in its environment."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]


def server_command(
    model: ServedModel,
    server: ModelEnvironment,
    *,
    host: str,
    port: int,
    cache_dir: Path,
    cpus: int,
    compiled: bool = False,
) -> ServerCommand:
    """The command that serves `model` at host:port; `cpus` is how many cores this process may use."""
    argv = [str(server.python), "-m", "vllm.entrypoints.openai.api_server"]
    argv += ["--model", model.path, "--host", host, "--port", str(port), "--max-model-len", str(model.max_model_len)]
    # Says how much of a prompt came from the prefix cache; part of every record.
    argv += ["--enable-prompt-tokens-details"]
    # Whitespace in constrained JSON is a free choice that an untrained model can spend all its tokens on. A trained one
    # writes it as it learned to: forbidding the space it expects puts it off what follows, the query most of all.
    constraints = {"backend": "xgrammar", "disable_any_whitespace": not model.trained}
    argv += ["--structured-outputs-config", json.dumps(constraints)]
    argv += ["--disable-uvicorn-access-log", "--disable-fastapi-docs"]
    environment = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_CACHE_ROOT": str(cache_dir.absolute())}
    if server.device == "cpu" or model.adapter is not None or any(model.also.values()):
        argv += ["--chat-template", str(CHAT_TEMPLATE), "--chat-template-content-format", "string"]
    else:
        # The model's own template; templates without a thinking mode ignore the switch.
        argv += ["--default-chat-template-kwargs", json.dumps({"enable_thinking": False})]
    if server.device == "cpu":
        argv += ["--served-model-name", model.name, "--max-num-seqs", str(CPU_MAX_REQUESTS)]
        if not compiled:
            argv += ["--enforce-eager"]
            # Without this the first request for log-probabilities compiles a small function after all: seconds
            # lost where there is a C++ compiler, and a dead server where there is none.
            environment["TORCHDYNAMO_DISABLE"] = "1"
        environment |= {
            "HF_HUB_OFFLINE": "1",
            "VLLM_CPU_KVCACHE_SPACE": str(CPU_CACHE_GB),
            # One core stays free for the server's own loop and the API; with a single core there is none to spare.
            "VLLM_CPU_NUM_OF_RESERVED_CPU": "1" if cpus > 1 else "0",
        }
    else:
        argv += _gpu_models(model)
    return ServerCommand(argv=tuple(argv), environment=environment)


def _gpu_models(model: ServedModel) -> list[str]:
    """One server for all of them: the bare model under one or several names, adapters loaded beside it."""
    models = {model.name: model.adapter, **model.also}
    adapters = {name: adapter for name, adapter in models.items() if adapter is not None}
    bare = [name for name in models if name not in adapters]
    if not adapters:
        return ["--served-model-name", *bare]
    # An adapter takes the served name, so that clients get it without knowing of it.
    highest = max(adapter.rank for adapter in adapters.values())
    rank = next((rank for rank in _LORA_RANKS if rank >= highest), _LORA_RANKS[-1])
    argv = ["--served-model-name", *(bare or [f"{model.name}-base"]), "--enable-lora", "--max-lora-rank", str(rank)]
    if len(adapters) > 1:
        argv += ["--max-loras", str(len(adapters))]
    return [*argv, "--lora-modules", *(f"{name}={adapter.path.absolute()}" for name, adapter in adapters.items())]


def need_prepared(model_dir: Path) -> ModelManifest:
    """What a CPU server has to load.

    Raises:
        ModelNotPreparedError: there is none.
    """
    manifest = read_model_manifest(model_dir)
    if manifest is None:
        raise ModelNotPreparedError("No model is prepared yet: run `clinsearch model prepare`.")
    return manifest


def need_free_port(host: str, port: int) -> None:
    """Check the port before minutes are spent on loading.

    Raises:
        PortInUseError: something listens there already.
    """
    if not port_is_free(host, port):
        raise PortInUseError(
            f"Port {port} of {host} is in use: stop what listens there, or set CLINSEARCH_MODEL_PORT to a free port."
        )


def available_cpus() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """Have the kernel ask this process to end when the one that started it is gone, however that ended.

    Outlasts `become`. A server that nobody waits for any more would hold its memory for ever. Linux only; elsewhere
    nothing happens.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the kernel was told
            os.kill(os.getpid(), signal.SIGTERM)


def become(command: ServerCommand) -> None:
    """Turn this process into the server: the same process id, so signals and exit codes are the server's own."""
    # A fixed program and arguments built above; no shell.
    os.execve(command.argv[0], list(command.argv), {**os.environ, **command.environment})  # noqa: S606
