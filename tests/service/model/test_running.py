"""Servers side by side: one end ends all, and a signal ends all of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import ModelIdentity
from service.container import model_identity
from service.model.manifest import ModelManifest
from service.model.running import running_model, serve_commands, serve_each
from service.ports import port_is_free
from service.settings import Settings
from service.up.probe import served_names


def test_each_model_has_a_server_of_its_own_and_no_server_starts_others() -> None:
    main, base = serve_commands({"base": 8101}, "127.0.0.1", 8100, compiled=False)
    assert main[-3:] == ("--port", "8100", "--alone")
    assert base[-4:] == ("--port", "8101", "--model", "base")


def test_runs_record_which_adapter_was_merged_into_the_model_that_answered(tmp_path: Path) -> None:
    manifest = ModelManifest(
        base="small",
        base_sha256="0" * 64,
        adapter="dpo",
        adapter_sha256="1" * 64,
        template_sha256="2" * 64,
        prepared_at=datetime.now(UTC),
        trained=True,
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text(manifest.model_dump_json())
    settings = Settings.model_validate({"data_dir": tmp_path})
    assert model_identity(settings) == ModelIdentity(
        model="clinsearch",
        engine="vllm",
        adapter="dpo@111111111111",
        served_as="clinsearch",
        template_sha256="2" * 64,
        trained=True,
    )


@pytest.mark.slow
async def test_a_model_is_prepared_served_under_its_name_and_stopped_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINSEARCH_DATA_DIR", str(tmp_path))
    async with running_model("base", "base", tmp_path / "base.log") as url:
        assert await served_names(url) == ("base",)
        port = int(url.split(":")[2].split("/")[0])
        assert not port_is_free("127.0.0.1", port)
    assert port_is_free("127.0.0.1", port)
    assert (tmp_path / "models" / "base" / "model.json").exists()


def waiting(mark: Path) -> tuple[str, ...]:
    """A program that says it runs and waits to be ended."""
    return (sys.executable, "-c", f"import pathlib,time; pathlib.Path({str(mark)!r}).touch(); time.sleep(600)")


async def test_when_one_ends_the_others_end_and_its_code_is_told(tmp_path: Path) -> None:
    ended = (sys.executable, "-c", "raise SystemExit(3)")
    async with asyncio.timeout(30):
        assert await serve_each([waiting(tmp_path / "a"), ended]) == 3


async def test_a_signal_ends_all_of_them(tmp_path: Path) -> None:
    marks = [tmp_path / "a", tmp_path / "b"]
    async with asyncio.timeout(30):
        serving = asyncio.create_task(serve_each([waiting(mark) for mark in marks]))
        while not all(mark.exists() for mark in marks):  # noqa: ASYNC110 - other processes make them
            await asyncio.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await serving == 0


async def test_one_that_does_not_listen_is_made_to_end(tmp_path: Path) -> None:
    deaf = (
        sys.executable,
        "-c",
        "import pathlib,signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(tmp_path / 'deaf')!r}).touch(); time.sleep(600)",
    )
    async with asyncio.timeout(30):
        serving = asyncio.create_task(serve_each([deaf], grace_s=0.2))
        while not (tmp_path / "deaf").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await serving == 0


async def test_a_server_ends_with_the_process_that_started_it_even_when_that_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    server = (
        "import os,pathlib,time; from service.model.serve import end_with_parent; end_with_parent(); "
        f"pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(600)"
    )
    starter = f"import subprocess,sys; subprocess.run([sys.executable, '-c', {server!r}], start_new_session=True)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", starter)
    async with asyncio.timeout(60):
        while not (mark.exists() and mark.read_text()):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
        while _runs(int(mark.read_text())):  # noqa: ASYNC110 - the kernel ends it
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be reaped."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
