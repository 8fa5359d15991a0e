"""If these fail, an entry of a word list was overwritten by another of the same name without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from retrieval.data_files import read_yaml

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path for folder in ("agent", "retrieval", "training/questionset") for path in (ROOT / folder).rglob("*.yaml")
)


def doubled(node: yaml.Node | None) -> Iterator[str]:
    """Keys that stand twice in one mapping, however deep."""
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        yield from (key for key in set(keys) if keys.count(key) > 1)
        for _, value in node.value:
            yield from doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from doubled(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_key_stands_twice_in_a_mapping(path: Path) -> None:
    assert list(doubled(yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader))) == []


def test_a_doubled_key_is_seen() -> None:
    assert list(doubled(yaml.compose("a:\n  - {b: 1, c: 2, b: 3}\n", Loader=yaml.SafeLoader))) == ["b"]


def test_both_readers_read_the_same(tmp_path: Path) -> None:
    file = tmp_path / "words.yaml"
    file.write_text("words: {yes: 'no', 'p.o.': orally}\ncount: [1, 2.5, null]\n", encoding="utf-8")
    assert read_yaml(file) == yaml.safe_load(file.read_text("utf-8"))
