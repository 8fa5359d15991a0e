"""The command that serves the model, checked without running it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from agent.templates import CHAT_TEMPLATE
from service.model.adapter import Adapter
from service.model.environment import Device, ModelEnvironment
from service.model.errors import ModelNotPreparedError, PortInUseError
from service.model.serve import ServedModel, ServerCommand, need_free_port, need_prepared, server_command

ADAPTER = Adapter(path=Path("/adapters/first"), name="first", sha256="0" * 64, rank=24)


def command(
    device: Device, *, adapter: Adapter | None = None, cpus: int = 2, compiled: bool = False, host: str = "127.0.0.1"
) -> ServerCommand:
    return server_command(
        ServedModel(path="/models/prepared", name="clinsearch", max_model_len=4096, adapter=adapter),
        ModelEnvironment(python=Path("/env/bin/python"), device=device),
        host=host,
        port=8100,
        cache_dir=Path("/data/cache"),
        cpus=cpus,
        compiled=compiled,
    )


def option(argv: tuple[str, ...], name: str) -> str:
    return argv[argv.index(name) + 1]


def test_a_cpu_server_follows_the_recipe_that_was_run() -> None:
    made = command("cpu")
    assert made.argv[:3] == ("/env/bin/python", "-m", "vllm.entrypoints.openai.api_server")
    assert option(made.argv, "--model") == "/models/prepared"
    assert option(made.argv, "--served-model-name") == "clinsearch"
    assert option(made.argv, "--port") == "8100"
    assert option(made.argv, "--max-model-len") == "4096"
    assert made.environment["HF_HUB_OFFLINE"] == "1"
    assert made.environment["VLLM_CPU_KVCACHE_SPACE"] == "2"
    assert "--enable-lora" not in made.argv, "adapters at run time are several times slower on a CPU"


@pytest.mark.parametrize("trained", [True, False])
def test_a_trained_model_writes_json_with_the_spaces_it_learned(trained: bool) -> None:
    made = server_command(
        ServedModel(path="/models/prepared", name="clinsearch", max_model_len=4096, trained=trained),
        ModelEnvironment(python=Path("/env/bin/python"), device="cpu"),
        host="127.0.0.1",
        port=8100,
        cache_dir=Path("/data/cache"),
        cpus=2,
    )
    constraints = json.loads(option(made.argv, "--structured-outputs-config"))
    assert constraints["disable_any_whitespace"] is not trained


def test_the_server_is_reachable_from_this_machine_only_unless_told_otherwise() -> None:
    assert option(command("cpu").argv, "--host") == "127.0.0.1"
    assert option(command("cpu", host="::").argv, "--host") == "::"


def test_prompts_are_rendered_with_the_template_that_training_uses() -> None:
    assert option(command("cpu").argv, "--chat-template") == str(CHAT_TEMPLATE)
    assert option(command("gpu", adapter=ADAPTER).argv, "--chat-template") == str(CHAT_TEMPLATE)


def test_a_gpu_base_model_keeps_its_own_template() -> None:
    """ChatML shown to a model of another family would be noise to it."""
    argv = command("gpu").argv
    assert "--chat-template" not in argv
    assert json.loads(option(argv, "--default-chat-template-kwargs")) == {"enable_thinking": False}


def test_on_a_gpu_clients_get_the_adapter_under_the_name_they_ask_for() -> None:
    argv = command("gpu", adapter=ADAPTER).argv
    assert "--enable-lora" in argv
    assert option(argv, "--lora-modules") == "clinsearch=/adapters/first"
    assert option(argv, "--served-model-name") == "clinsearch-base"
    assert int(option(argv, "--max-lora-rank")) >= ADAPTER.rank


def test_a_gpu_server_may_fetch_its_model_and_is_not_held_to_cpu_limits() -> None:
    made = command("gpu")
    assert "HF_HUB_OFFLINE" not in made.environment
    assert "--max-num-seqs" not in made.argv
    assert "--enforce-eager" not in made.argv


def test_a_cpu_server_needs_no_compiler_unless_asked_to_compile() -> None:
    """Without a C++ compiler the first request for log-probabilities used to kill the server."""
    made = command("cpu")
    assert "--enforce-eager" in made.argv
    assert made.environment["TORCHDYNAMO_DISABLE"] == "1"
    compiled = command("cpu", compiled=True)
    assert "--enforce-eager" not in compiled.argv
    assert "TORCHDYNAMO_DISABLE" not in compiled.environment


@pytest.mark.parametrize(("cpus", "reserved"), [(1, "0"), (2, "1"), (16, "1")])
def test_a_core_is_left_for_the_api_where_there_is_one_to_spare(cpus: int, reserved: str) -> None:
    assert command("cpu", cpus=cpus).environment["VLLM_CPU_NUM_OF_RESERVED_CPU"] == reserved


def test_no_usage_data_leaves_the_machine() -> None:
    for device in ("cpu", "gpu"):
        environment = command(device).environment
        assert environment["VLLM_NO_USAGE_STATS"] == "1"
        assert environment["DO_NOT_TRACK"] == "1"


def test_a_taken_port_is_named_before_minutes_of_loading() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"Port {port} .*CLINSEARCH_MODEL_PORT"):
            need_free_port("127.0.0.1", port)
    need_free_port("127.0.0.1", port)


def test_serving_nothing_says_how_to_prepare_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotPreparedError, match="clinsearch model prepare"):
        need_prepared(tmp_path / "model")


def test_one_gpu_server_has_every_model_by_name() -> None:
    second = Adapter(path=Path("/adapters/second"), name="second", sha256="1" * 64, rank=40)
    served = ServedModel(
        path="some/model", name="clinsearch", max_model_len=4096, adapter=ADAPTER, also={"base": None, "second": second}
    )
    gpu = ModelEnvironment(python=Path("/env/bin/python"), device="gpu")
    argv = server_command(served, gpu, host="127.0.0.1", port=8100, cache_dir=Path("/c"), cpus=2).argv
    assert option(argv, "--served-model-name") == "base", "the bare model keeps its own name"
    place = argv.index("--lora-modules")
    assert argv[place + 1 : place + 3] == ("clinsearch=/adapters/first", "second=/adapters/second")
    assert (option(argv, "--max-lora-rank"), option(argv, "--max-loras")) == ("64", "2")


def test_a_gpu_server_without_adapters_answers_to_each_name() -> None:
    served = ServedModel(path="some/model", name="clinsearch", max_model_len=4096, also={"base": None})
    gpu = ModelEnvironment(python=Path("/env/bin/python"), device="gpu")
    argv = server_command(served, gpu, host="127.0.0.1", port=8100, cache_dir=Path("/c"), cpus=2).argv
    place = argv.index("--served-model-name")
    assert argv[place + 1 : place + 3] == ("clinsearch", "base")
    assert "--enable-lora" not in argv
