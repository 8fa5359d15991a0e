"""If these fail, a model can be trained while the rule that scores it moves."""

from __future__ import annotations

import pytest

from training.stages import GateChangedError, gate_files, gate_sha256, require_same_gate


def test_the_hash_covers_the_gate_and_what_it_reads_text_with() -> None:
    names = [name for name, _ in gate_files()]
    assert {"agent.gate", "agent.quantities", "agent.sentences"} <= set(names)
    assert "agent.prompts" not in names
    assert names == sorted(names)
    assert all(path.is_file() for _, path in gate_files())


def test_another_gate_ends_the_run() -> None:
    require_same_gate(gate_sha256())
    with pytest.raises(GateChangedError, match="gate changed"):
        require_same_gate("0" * 64)
