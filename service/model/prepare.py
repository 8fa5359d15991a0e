"""Preparing the served model: weights, chat template, adapter and a manifest, in one directory.

Doing it again with the same inputs does nothing. The directory is built beside its place and then moved
there, so a crash never leaves half a model to be served. On a GPU machine nothing is converted: the server
loads the model named in settings and adapters at run time, and only the manifest is written.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from agent.caution import Caution
from agent.templates import CHAT_TEMPLATE, chat_template_sha256
from service.model.adapter import Adapter
from service.model.environment import Device
from service.model.errors import ModelStorageError
from service.model.manifest import MANIFEST_NAME, ModelManifest, read_model_manifest
from service.model.weights import BASE, convert, file_sha256, packaged_gguf

Report = Callable[[str], None]

_PARTIAL = ".model-"


def prepare_model(
    model_dir: Path, *, device: Device, gpu_model: str, adapter: Adapter | None, report: Report
) -> ModelManifest:
    """Prepare `model_dir` for the server and return its manifest. `report` is told what is going on.

    Raises:
        ModelSetupError: with one sentence on what to do.
    """
    gguf = packaged_gguf() if device == "cpu" else None
    wanted = ModelManifest(
        base=BASE if gguf else gpu_model,
        base_sha256=file_sha256(gguf) if gguf else None,
        adapter=adapter.name if adapter else None,
        adapter_sha256=adapter.sha256 if adapter else None,
        # A GPU's base model speaks its own template; an adapter of this project speaks this project's.
        template_sha256=chat_template_sha256() if gguf or adapter else None,
        prepared_at=datetime.now(UTC),
        trained=adapter is not None,
        caution=adapter.caution if adapter else Caution(),
    )
    try:
        with _only_one(model_dir):
            found = read_model_manifest(model_dir)
            if found is not None and found.same_inputs(wanted) and _whole(model_dir, weights=gguf is not None):
                report(f"The model is already prepared: {model_dir}")
                return found
            with _new_directory(model_dir) as building:
                if gguf is not None:
                    report(f"Converting {BASE}" + (f" and merging {adapter.name}" if adapter else ""))
                    convert(gguf, building, adapter, CHAT_TEMPLATE.read_text(encoding="utf-8"))
                manifest = wanted.model_copy(update={"prepared_at": datetime.now(UTC)})
                (building / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ModelStorageError(
            f"The model could not be written to {model_dir} ({error.strerror}): free 1 GB there, or make it writable."
        ) from error
    report(f"The model is prepared: {model_dir}")
    return manifest


def _whole(model_dir: Path, *, weights: bool) -> bool:
    """False when someone changed the template or removed the weights after preparing."""
    if not weights:
        return True
    template = model_dir / "chat_template.jinja"
    return (
        (model_dir / "config.json").exists()
        and any(model_dir.glob("*.safetensors"))
        and template.exists()
        and template.read_bytes() == CHAT_TEMPLATE.read_bytes()
    )


@contextlib.contextmanager
def _only_one(model_dir: Path) -> Iterator[None]:
    """Wait for another process that prepares the same directory; sweep what a killed one left."""
    model_dir.parent.mkdir(parents=True, exist_ok=True)
    with (model_dir.parent / f"{model_dir.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in model_dir.parent.glob(f"{_PARTIAL}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextlib.contextmanager
def _new_directory(model_dir: Path) -> Iterator[Path]:
    """A directory to build in, which takes the place of `model_dir` when the block succeeds."""
    scratch = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=model_dir.parent))
    try:
        new, old = scratch / "new", scratch / "old"
        new.mkdir()
        yield new
        if model_dir.exists():
            model_dir.rename(old)
        new.rename(model_dir)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
