"""An index directory: generations, the pointer to the one that serves, and who holds what.

    CURRENT                  number of the generation that serves; replaced atomically
    build.lock               held by the one process that builds
    records.sqlite           passages of record, by generation
    vectors/                 vectors of record
    left-behind.jsonl        collections on a server that no store in use could remove; absent where there are none
    generations/000003/      manifest.json, superseded.json, store/ (the search store), rescoring/, predicted/ (where
                             there are predicted queries), in-use (locked by readers)

A generation is written under its own number and pointed to only when complete and on disk; so a crash
at any moment leaves the old one serving. Old generations are removed after a swap, except the previous
one (a reader may be about to open it) and any that a process still reads. What a store keeps outside
its folder is discarded first; where that fails, the generation stays and the next clean-up tries again. What the
store in use cannot reach, because the operator left the one that made it, is written down and named by `index status`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from retrieval.errors import CorpusError, IndexLockedError, IndexMismatchError, IndexMissingError, StoreError
from retrieval.files import sync_directory, sync_tree, try_lock, write_atomically
from retrieval.records import RecordStore
from retrieval.stores.elsewhere import ServerRecord, kept_elsewhere

_OPEN_ATTEMPTS = 5  # a swap and a clean-up can each overtake a reader that is opening


class IndexDirectory:
    """Paths and transitions of one index directory."""

    def __init__(self, root: Path, *, discard: Callable[[Path], ServerRecord | None] = lambda _: None) -> None:
        """`discard` removes what the store in a folder keeps elsewhere, as `StoreBackend.discard` does."""
        self.root = root
        self._discard = discard
        self.records = root / "records.sqlite"
        self.vectors = root / "vectors"
        self._generations = root / "generations"
        self._pointer = root / "CURRENT"
        self._left_behind = root / "left-behind.jsonl"

    def path(self, generation: int) -> Path:
        """Folder of a generation."""
        return self._generations / f"{generation:06d}"

    def manifest(self, generation: int) -> Path:
        """Manifest file of a generation."""
        return self.path(generation) / "manifest.json"

    def superseded(self, generation: int) -> Path:
        """File of a generation that names its superseded documents and their newest versions."""
        return self.path(generation) / "superseded.json"

    def store(self, generation: int) -> Path:
        """Search store of a generation."""
        return self.path(generation) / "store"

    def rescoring(self, generation: int) -> Path:
        """Table that rescores the passages of a generation."""
        return self.path(generation) / "rescoring"

    def predicted(self, generation: int) -> Path:
        """Table of the predicted queries of a generation; absent where no passage has any."""
        return self.path(generation) / "predicted"

    def current(self) -> int | None:
        """Number of the generation that serves, or None before the first build.

        Raises:
            IndexMismatchError: the pointer is damaged.
        """
        try:
            return int(self._pointer.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise IndexMismatchError("The index pointer is damaged. Run `clinsearch index build`.") from error

    def hold_current(self) -> tuple[int, IO[bytes]]:
        """Keep the generation that serves from being removed until the returned file is closed.

        Raises:
            IndexMissingError: nothing has been built here.
            IndexMismatchError: the pointer names a generation that is not there.
        """
        for _ in range(_OPEN_ATTEMPTS):
            generation = self.current()
            if generation is None:
                raise IndexMissingError("No index has been built. Run `clinsearch index build`.")
            try:
                held = try_lock(self.path(generation) / "in-use", shared=True)
            except OSError:
                continue
            if held is not None:
                return generation, held
        raise IndexMismatchError("The index is not complete. Run `clinsearch index build`.")

    @contextmanager
    def building(self) -> Iterator[None]:
        """Be the only builder.

        Raises:
            IndexLockedError: another process builds.
            CorpusError: the directory cannot be written.
        """
        try:
            self._generations.mkdir(parents=True, exist_ok=True)
            lock = try_lock(self.root / "build.lock", shared=False)
        except OSError as error:
            raise CorpusError(f"cannot write the index directory: {error.strerror}") from error
        if lock is None:
            raise IndexLockedError("Another process is building this index. Wait for it to finish, then try again.")
        try:
            yield
        finally:
            lock.close()

    def begin(self) -> int:
        """Number for the next generation, its folder made empty; leftovers of a crash are removed.

        Raises:
            StoreError: what a leftover keeps elsewhere cannot be removed.
        """
        try:
            current = self.current() or 0
        except IndexMismatchError:
            current = max(self._numbers(), default=0)
        for number in self._numbers():
            if number > current:
                self._let_go(number)
                self._remove(number)
        self.path(current + 1).mkdir()
        return current + 1

    def publish(self, generation: int) -> None:
        """Make a complete generation the one that serves: everything durable first, then the pointer."""
        sync_tree(self.path(generation))
        sync_directory(self._generations)
        with write_atomically(self._pointer) as file:
            file.write(str(generation).encode("ascii"))

    def clean(self, records: RecordStore, *, keep: frozenset[int]) -> None:
        """Remove generations that are neither kept nor read by anyone."""
        for number in sorted({*self._numbers(), *records.generations()} - keep):
            folder = self.path(number)
            held = try_lock(folder / "in-use", shared=False) if folder.is_dir() else None
            if folder.is_dir() and held is None:
                continue
            try:
                self._let_go(number)
                records.forget_generation(number)
                self._remove(number)
            except StoreError:
                continue  # the new index serves; what could not be reached is removed another time
            finally:
                if held is not None:
                    held.close()

    def left_behind(self) -> tuple[ServerRecord, ...]:
        """Collections on servers that hold nothing in use and that no build will remove, oldest first.

        Raises:
            CorpusError: they cannot be read.
        """
        try:
            lines = self._left_behind.read_text("utf-8").splitlines() if self._left_behind.is_file() else []
            found = [ServerRecord.model_validate_json(line) for line in lines]
        except (OSError, ValueError) as error:
            raise CorpusError(f"The file {self._left_behind.name} of the index cannot be read.") from error
        current = self.current()
        if current is not None and kept_elsewhere(self.store(current)) is None:
            others = (kept_elsewhere(self.store(number)) for number in self._numbers() if number != current)
            found += [record for record in others if record is not None]
        return tuple(dict.fromkeys(found))

    def _let_go(self, number: int) -> None:
        left = self._discard(self.store(number))
        if left is not None:
            with self._left_behind.open("a", encoding="utf-8") as file:
                file.write(left.model_dump_json() + "\n")
                file.flush()
                os.fsync(file.fileno())

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self._generations.iterdir() if path.name.isdecimal())

    def _remove(self, number: int) -> None:
        folder = self.path(number)
        if folder.is_dir():
            # Out of sight first, so that nobody opens it while it is being emptied.
            removed = folder.with_name(f"removed-{number:06d}-{os.getpid()}")
            folder.rename(removed)
        for path in self._generations.glob("removed-*"):
            shutil.rmtree(path)


def left_behind(directory: Path) -> tuple[ServerRecord, ...]:
    """See `IndexDirectory.left_behind`."""
    return IndexDirectory(directory).left_behind()
