"""`clinsearch rollouts filter` and `export` end to end: teacher rollouts to rows, with a tokenizer made here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from retrieval import Withdrawal, Withdrawals

from .invoking import indexed, run

MARKERS = ["<|im_start|>", "<|im_end|>"]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of single bytes with ChatML's markers, saved as a prepared model would have it."""
    directory = tmp_path_factory.mktemp("model")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(MARKERS)
    tokenizer.save(str(directory / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": MARKERS[1]}
    (directory / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return indexed(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def made(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file of questions and the teacher's rollouts of it."""
    directory = tmp_path_factory.mktemp("made")
    found = run(environment, "search", "nitrofurantoin cystitis", "--json")
    gold = json.loads(found.stdout)["hits"][0]["passage"]["id"]
    shared = {"queries": ["nitrofurantoin cystitis"], "question_source": "made", "licence": "CC0-1.0"}
    rows: list[dict[str, object]] = [
        {"id": "1", "question": "Antibiotic for cystitis?", "kind": "answerable", "gold": [gold]},
        {"id": "2", "question": "Which drug for cystitis?", "kind": "answerable", "gold": [gold]},
        {"id": "3", "question": "Tonometry in cats?", "kind": "unanswerable"},
        {
            "id": "4",
            "question": "Private?",
            "kind": "answerable",
            "gold": [gold],
            "training_consent": False,
        },
    ]
    questions = directory / "questions.jsonl"
    lines = [json.dumps({**shared, "training_consent": True, **row}) for row in rows]
    questions.write_text("\n".join(lines), encoding="utf-8")
    command = ("--questions", str(questions), "--output", str(directory / "runs"), "--policy", "teacher")
    assert run(environment, "rollouts", "generate", *command).exit_code == 0
    return questions, directory / "runs"


def test_filter_then_export_gives_rows_under_loss_where_the_model_spoke(
    environment: dict[str, str], made: tuple[Path, Path], model_dir: Path, tmp_path: Path
) -> None:
    questions, runs = made
    kept, rows = tmp_path / "kept", tmp_path / "sft.jsonl"
    filtered = run(environment, "rollouts", "filter", str(runs), "--questions", str(questions), "--output", str(kept))
    assert filtered.exit_code == 0, filtered.output
    assert "kept      3" in filtered.stdout
    assert "left out  no_consent 1" in filtered.stdout
    exported = run(
        environment,
        *("rollouts", "export", str(kept), "--output", str(rows)),
        *("--model-dir", str(model_dir), "--max-tokens", "100000"),
    )
    assert exported.exit_code == 0, exported.output
    lines = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 3
    ends = {256, 257}  # the two markers stand behind the 256 bytes
    for row in lines:
        under_loss = [label for label in row["labels"] if label != -100]
        assert 0 < len(under_loss) < len(row["input_ids"])
        assert under_loss[-1] in ends, "the end marker is learned too"
        assert row["provenance"]["licence"] == "CC0-1.0"


@pytest.mark.parametrize("format", ["sft", "prompts"])
def test_other_formats(
    environment: dict[str, str], made: tuple[Path, Path], model_dir: Path, tmp_path: Path, format: str
) -> None:
    rows = tmp_path / "rows.jsonl"
    arguments = ("--output", str(rows), "--model-dir", str(model_dir), "--max-tokens", "100000", "--format", format)
    result = run(environment, "rollouts", "export", str(made[1]), *arguments)
    assert result.exit_code == 0, result.output
    assert "refused  no_consent 1" in result.stdout
    first = json.loads(rows.read_text(encoding="utf-8").splitlines()[0])
    assert set(first) == {"messages" if format == "sft" else "prompt", "provenance"}


def test_nothing_to_write_is_said_and_not_called_a_success(
    environment: dict[str, str], made: tuple[Path, Path], model_dir: Path, tmp_path: Path
) -> None:
    arguments = ("--output", str(tmp_path / "rows.jsonl"), "--model-dir", str(model_dir), "--max-tokens", "10")
    result = run(environment, "rollouts", "export", str(made[1]), *arguments)
    assert result.exit_code == 1
    assert "too_long 3" in result.stdout
    assert "No row was written" in result.stderr


def test_wrong_input_is_one_sentence(environment: dict[str, str], made: tuple[Path, Path], tmp_path: Path) -> None:
    _, runs = made
    keep = ("rollouts", "filter", str(runs), "--output")
    cases = {
        "not empty": (*keep, str(runs)),
        "add up to 1": (*keep, str(tmp_path / "a"), "--share", "answerable=0.2"),
        "KIND=NUMBER": (*keep, str(tmp_path / "b"), "--share", "answerable"),
        "no rollouts in": ("rollouts", "filter", str(tmp_path), "--output", str(tmp_path / "c")),
        "no prepared model": ("rollouts", "export", str(runs), "--output", str(tmp_path / "d")),
    }
    for sentence, arguments in cases.items():
        result = run(environment, *arguments)
        assert result.exit_code == 1, sentence
        assert sentence in result.stderr.replace("\n", " ")
        assert "Traceback" not in result.output


def test_runs_that_cite_what_was_withdrawn_since_are_left_out(
    environment: dict[str, str], made: tuple[Path, Path], model_dir: Path, tmp_path: Path
) -> None:
    questions, runs = made
    first = json.loads(questions.read_text("utf-8").splitlines()[0])["gold"][0]
    # A data directory of its own: the others go on with everything.
    own = {**environment, "CLINSEARCH_DATA_DIR": str(tmp_path / "data")}
    Withdrawals(tmp_path / "data" / "withdrawals.jsonl").add(
        Withdrawal(kind="passage", id=first, why="The dose is wrong.", who="x", at=datetime.now(UTC))
    )
    kept, rows = tmp_path / "kept", tmp_path / "rows.jsonl"
    filtered = run(own, "rollouts", "filter", str(runs), "--questions", str(questions), "--output", str(kept))
    assert "left out  withdrawn 3" in filtered.stdout
    arguments = ("--output", str(rows), "--model-dir", str(model_dir), "--max-tokens", "100000", "--format", "sft")
    exported = run(own, "rollouts", "export", str(runs), *arguments)
    assert "refused  withdrawn 4" in exported.stdout
