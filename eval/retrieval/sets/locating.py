"""Where the files of benchmarks and corpora lie. They are third-party material and no part of this project."""

from __future__ import annotations

import lzma
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eval.retrieval.errors import SetInvalidError, SetMissingError

VARIABLE = "CLINSEARCH_BENCHMARKS"
CORPORA_VARIABLE = "CLINSEARCH_CORPORA"
_REPOSITORY = Path(__file__).resolve().parents[3]


def benchmarks_folder() -> Path:
    """The folder in CLINSEARCH_BENCHMARKS, else ../shared/data/benchmarks beside the repository; may not exist."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else _REPOSITORY.parent / "shared" / "data" / "benchmarks"


def corpora_folder() -> Path:
    """The folder in CLINSEARCH_CORPORA, else ../shared/data/corpora beside the repository; may not exist."""
    named = os.environ.get(CORPORA_VARIABLE)
    return Path(named) if named else _REPOSITORY.parent / "shared" / "data" / "corpora"


def required(folder: Path, *names: str) -> tuple[Path, ...]:
    """The files of these names.

    Raises:
        SetMissingError: one is not there.
    """
    paths = tuple(folder / name for name in names)
    for path in paths:
        if not path.is_file():
            raise SetMissingError(f"The benchmark file {path.name} is not there: set {VARIABLE} to its folder.")
    return paths


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name what goes wrong inside with the file it was in, and never with the file's text."""
    try:
        yield
    except SetInvalidError:
        raise
    except (OSError, EOFError, lzma.LZMAError, tarfile.TarError, ValueError, KeyError, TypeError, SyntaxError) as error:
        raise SetInvalidError(f"The file {path.name} cannot be read: {type(error).__name__}.") from error


def archived(path: Path, suffix: str) -> Iterator[tuple[str, bytes]]:
    """Base names and contents of the files in a .tar.xz whose names end in `suffix`, in order of their names.

    Nothing is unpacked to disk, so names that climb out of a folder do no harm.

    Raises:
        SetInvalidError: the archive is damaged.
    """
    with reading(path), tarfile.open(path, "r:xz") as archive:
        members = sorted((m for m in archive if m.isfile() and m.name.endswith(suffix)), key=lambda m: m.name)
        for member in members:
            file = archive.extractfile(member)
            if file is not None:
                yield Path(member.name).name, file.read()
