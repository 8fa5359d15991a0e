"""Which adapter is served: named in settings, or the one that ships, or none.

An adapter named by hand must fit or nothing starts: someone chose it. The one that ships may have been trained with
an earlier prompt; then the product starts with the untrained model, which only searches, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.prompts import prompt_sha256
from agent.templates import chat_template_sha256
from service.model.adapter import Adapter, load_adapter
from service.model.errors import AdapterError, AdapterMismatchError

#: Adapters that ship, one directory each, and the file that names the one in use.
SHIPPED = Path(__file__).resolve().parents[2] / "training" / "adapters"
DEFAULT_FILE = "DEFAULT"
#: In settings and in DEFAULT_FILE: no adapter.
NONE = "none"
#: The name under which the model without an adapter is prepared and served beside others.
BASE_NAME = "base"


@dataclass(frozen=True)
class ChosenAdapter:
    """An adapter that fits, or none; `warning` says why the one that ships is not used."""

    adapter: Adapter | None
    warning: str | None = None


def choose_adapter(setting: str | None, shipped: Path = SHIPPED) -> ChosenAdapter:
    """The adapter of a setting: a directory, the name of one that ships, "none", or None for the default.

    Raises:
        AdapterError, AdapterMismatchError: the one that was named cannot be used.
    """
    if setting is not None:
        path = adapter_directory(setting, shipped)
        return ChosenAdapter(None if path is None else _load(path))
    name = default_adapter(shipped)
    if name is None:
        return ChosenAdapter(None)
    try:
        return ChosenAdapter(_load(shipped / name))
    except (AdapterError, AdapterMismatchError) as error:
        return ChosenAdapter(
            None,
            f"{error} Until then the untrained model is used, which only searches: answers are the recommendations "
            "found. CLINSEARCH_ADAPTER=none says that this is wanted.",
        )


def adapter_directory(name: str, shipped: Path = SHIPPED) -> Path | None:
    """Where the adapter of that name or path is; None for the model without one.

    Raises:
        AdapterError: there is none.
    """
    if name in (NONE, BASE_NAME):
        return None
    for path in (shipped / name, Path(name)):
        if path.is_dir():
            return path
    known = ", ".join(adapter_names(shipped)) or "none ships"
    raise AdapterError(f"There is no adapter {name}: name a directory, or one of those that ship ({known}).")


def adapter_names(shipped: Path = SHIPPED) -> tuple[str, ...]:
    """Names of the adapters that ship."""
    return tuple(sorted(path.parent.name for path in shipped.glob("*/adapter_config.json")))


def default_adapter(shipped: Path = SHIPPED) -> str | None:
    """Name of the adapter that ships as the default; None where there is none."""
    try:
        name = (shipped / DEFAULT_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return None if name in ("", NONE) else name


def model_place(data_dir: Path, name: str) -> Path:
    """Where a model that is served beside others is prepared, by its name or the path of its adapter."""
    return data_dir / "models" / Path(name).name


def _load(path: Path) -> Adapter:
    return load_adapter(path, template_sha256=chat_template_sha256(), prompt_sha256=prompt_sha256())
