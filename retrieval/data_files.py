"""Data files that come with the package, read by the fast reader: every process that answers reads some of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

#: LibYAML's, eight times as fast, where PyYAML was built with it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """What a YAML file of the package holds; plain values only."""
    return yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 (a safe loader either way)
