"""What the README and the guides say exists: every block is of a kind that is checked, every name in them is real."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from service.metrics import Metrics
from service.settings import Settings

from ..service.cli.invoking import run
from .documents import (
    DOCUMENTS,
    INTEGRATOR,
    KINDS,
    NOT_RUN,
    OPERATOR,
    OTHERS,
    PYTHON,
    README,
    ROOT,
    SERVES,
    SETTINGS,
    Block,
    blocks,
)
from .programs import NoSuchCommandError, check_clinsearch, check_program, commands

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
SETTING = re.compile(r"CLINSEARCH_[A-Z_]*[A-Z]")
#: Read from the environment by the evaluations, which are no part of a deployment.
FOLDERS = {"CLINSEARCH_BENCHMARKS", "CLINSEARCH_CORPORA", "CLINSEARCH_QUESTIONS"}
NAMES = {f"CLINSEARCH_{name.upper()}" for name in Settings.model_fields}


def of_kind(*kinds: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind in kinds]


def texts() -> list[tuple[str, str]]:
    return [(document.name, document.read_text(encoding="utf-8")) for document in DOCUMENTS]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_is_of_a_kind_that_is_checked(block: Block) -> None:
    """Else a command in a guide is never run, and nobody notices that it stopped working."""
    assert block.kind in KINDS


@pytest.mark.parametrize("block", of_kind(NOT_RUN, *OTHERS), ids=str)
def test_what_is_not_run_says_so(block: Block) -> None:
    """Else a reader takes it for tried."""
    assert "not run by the tests" in block.before.lower()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.is_shell], ids=str)
def test_every_command_is_one_that_clinsearch_takes(block: Block) -> None:
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True, capture_output=True)
    for line in block.command_lines:
        for words in commands(line):
            if block.kind == NOT_RUN or words[0].endswith("clinsearch"):
                check_program(words)


@pytest.mark.parametrize("block", of_kind(PYTHON), ids=str)
def test_python_is_python(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", of_kind(SETTINGS, *OTHERS), ids=str)
def test_settings_can_be_read(block: Block) -> None:
    """Those of clinsearch by clinsearch itself; those of other programs have tests that say what they name."""
    if block.kind == "json other":
        json.loads(block.text)
    elif block.kind == "yaml other":
        assert yaml.safe_load(block.text)
    else:
        values = dict(line.split("=", 1) for line in block.text.splitlines())
        if block.kind == SETTINGS:
            assert set(values) <= NAMES
            shown = run(values, "settings", "show")
            assert shown.exit_code == 0, shown.output
            assert all(f"{name}=" in shown.stdout for name in values)


@pytest.mark.parametrize(("name", "text"), texts())
def test_every_setting_that_is_named_exists(name: str, text: str) -> None:
    assert set(SETTING.findall(text)) <= NAMES | FOLDERS


def test_the_operators_guide_tells_of_every_setting() -> None:
    """Also as `CLINSEARCH_ENCODER_DIMENSION`, `_MAX_TOKENS`."""
    text = OPERATOR.read_text(encoding="utf-8")
    short = {f"CLINSEARCH_ENCODER{end}" for end in re.findall(r"`(_[A-Z_]+)`", text)}
    assert {*SETTING.findall(text), *short} >= NAMES


@pytest.mark.parametrize(("name", "text"), texts())
def test_every_decision_and_page_that_is_named_exists(name: str, text: str) -> None:
    for number in re.findall(r"(?:docs/adr/|ADR |`)(\d{4})\b", text):
        assert list((ROOT / "docs" / "adr").glob(f"{number}-*.md")), f"{name} names decision {number}"
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        place = ROOT if name == README.name else ROOT / "docs"
        assert (place / link).exists(), f"{name} links to {link}"


@pytest.mark.parametrize(("name", "text"), texts())
def test_commands_in_running_text_exist(name: str, text: str) -> None:
    """`clinsearch corpus list` in a sentence; of "corpus add|list" or with capitals for arguments only the command."""
    for code in re.findall(r"`clinsearch ([a-z][^`]*)`", text):
        words = shlex.split(code)
        group_or_command = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
        with_help = [*group_or_command, "--help"]
        assert run({}, *with_help).exit_code == 0, f"{name}: clinsearch {code}"


def test_every_metric_that_the_operators_guide_names_is_kept() -> None:
    kept = Metrics().render().decode()
    for metric in re.findall(r"`(clinsearch_[a-z_]+)`", OPERATOR.read_text(encoding="utf-8")):
        assert f"{metric.removesuffix('_total')}" in kept, metric


def test_every_error_that_the_integrators_guide_names_is_sent() -> None:
    table = INTEGRATOR.read_text(encoding="utf-8").partition("## Errors")[2].partition("```")[0]
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("service", "agent", "retrieval")
        for path in (ROOT / folder).rglob("*.py")
    )
    codes = re.findall(r"`([a-z]+_[a-z_]+)`", table)
    assert len(codes) > 10
    for code in codes:
        assert f'"{code}"' in sources, code


def test_a_server_is_started_by_one_command() -> None:
    for block in of_kind(SERVES):
        assert len(list(block.command_lines)) == 1, str(block)


@pytest.mark.parametrize(
    "wrong", ["corpus ad x", "corpus add --colour red x", "rollouts generate", "search x --limit many"]
)
def test_a_wrong_command_is_noticed(wrong: str) -> None:
    """Else the tests above say nothing."""
    with pytest.raises(Exception, match=r"has no command|[Nn]o such option|Missing parameter|valid integer"):
        check_clinsearch(wrong.split())


def test_an_unknown_program_is_noticed() -> None:
    with pytest.raises(NoSuchCommandError):
        check_program(["wget", "https://example.org"])


def test_commands_are_found_in_pipes_and_substitutions() -> None:
    line = """A=1 ID=$(clinsearch search "a b" --json | python3 -c 'print(1)') && clinsearch mcp --http"""
    assert list(commands(line)) == [
        ["clinsearch", "search", "a b", "--json"],
        ["python3", "-c", "print(1)"],
        ["clinsearch", "mcp", "--http"],
    ]


def test_a_block_that_is_not_closed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "open.md"
    path.write_text("text\n```bash\nls\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not closed"):
        blocks(path)
