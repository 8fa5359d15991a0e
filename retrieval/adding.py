"""Adding files to the library: find them, choose readers, cut, store, and report on every one.

A file that cannot be read is named and skipped and the others go in. The report says of every file what
became of it; nothing is left out in silence. Adding the same files again changes nothing. A document is not
replaced by another file that happens to give the same id, such as two files of one name in two folders.
What is stated of a folder holds for the files in it, and what is stated of a file goes before that.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.blocks import ParsedDocument
from retrieval.chunking import CutLimits, cut_document
from retrieval.documents import DocumentId, PassageKind, SourceId
from retrieval.errors import ReaderError
from retrieval.library import Addition, HeldElsewhereError, Library, Origin
from retrieval.readers import (
    DEFAULT_LIMITS,
    READERS,
    ArchiveLimits,
    Reader,
    Skipped,
    SourceFile,
    detect,
    files_in,
    why_no_document,
)
from retrieval.stated import NOTHING_STATED, StatedMetadata

_CHUNK = 1 << 20
_STATED = " stated "  # before what was stated of a path, at the end of its recipe
_PACKING = re.compile(r"(?:\.tar)?\.(?:xz|gz|zip|tar|tgz|txz)$|\.(?:jsonl?|pdf|html?|md|xml|txt)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AddProgress:
    """How far adding is: files and documents read so far from `path`."""

    path: str
    files: int
    documents: int


@dataclass(slots=True)
class PathReport:
    """What became of one path that was given."""

    path: str
    corpus: str
    #: Nothing was read: the same bytes were read before.
    unchanged: bool = False
    files: int = 0
    documents: int = 0
    #: Documents that were not there, or not like this.
    changed: int = 0
    passages: int = 0
    recommendations: int = 0
    graded: int = 0
    readers: Counter[str] = field(default_factory=Counter)
    skipped: list[Skipped] = field(default_factory=list)
    #: Files that are damaged or that no reader knows; the others went in.
    failed: list[Skipped] = field(default_factory=list)


Report = Callable[[AddProgress], None]


def add_paths(
    paths: Iterable[Path],
    library: Library,
    limits: CutLimits,
    *,
    reader: Reader | None = None,
    stated: StatedMetadata = NOTHING_STATED,
    known_sources: Collection[SourceId] | None = None,
    replace: bool = False,
    archive_limits: ArchiveLimits = DEFAULT_LIMITS,
    progress: Report | None = None,
) -> Iterator[PathReport]:
    """Add files, folders and archives; yields a report on each path once it is stored.

    Args:
        reader: reads every file; detected for each where None.
        known_sources: a document under any other is refused, because no search would find it; None takes all.
        replace: a document replaces the one of its id that was added from another file; refused otherwise.

    Raises:
        CorpusError: the library cannot be written. Paths reported on before are in it.
    """
    for path in paths:
        adder = _Adder(
            library, limits, reader, stated, known_sources, replace, archive_limits, progress or (lambda _: None)
        )
        yield adder.add(path)


def corpus_name(path: Path) -> str:
    """The name of the corpus that a path makes: the file's name without what it is packed in."""
    name = path.resolve().name
    while (shorter := _PACKING.sub("", name)) != name and shorter:
        name = shorter
    return name


@dataclass(slots=True)
class _Adder:
    library: Library
    limits: CutLimits
    reader: Reader | None
    stated: StatedMetadata
    known_sources: Collection[SourceId] | None
    replace: bool
    archive_limits: ArchiveLimits
    progress: Report
    _seen: set[DocumentId] = field(default_factory=set)

    def add(self, path: Path) -> PathReport:
        report = PathReport(str(path), corpus_name(path))
        if not path.exists():
            report.failed.append(Skipped(str(path), "does not exist"))
            return report
        place = path.resolve()
        # "." has no name, and some readers take names for ids and publishers.
        path = path if path.name.strip(".") else place
        key = place.as_posix()
        try:
            digest = _digest(path)
        except OSError as error:
            report.failed.append(Skipped(str(path), error.strerror or "cannot be read"))
            return report
        # What was stated of this path before holds on, so that adding it again loses nothing.
        stated = _more(self._stated_before(place), self.stated)
        recipe = self._recipe(stated)
        if self.library.holds(key, digest, recipe):
            report.unchanged = True
            return report
        around = self._stated_around(place)
        with self.library.adding(report.corpus) as addition:
            try:
                for file in files_in(path, self.archive_limits):
                    if isinstance(file, Skipped):
                        report.failed.append(file)
                    else:
                        own = _own_place(path, place, file)
                        held = _more(around, stated)
                        if path.is_dir():
                            held = _more(held, self._stated_around(own, below=place), self._stated_before(own))
                        self._file(file, addition, report, held, Origin(key, own.as_posix()))
            except ReaderError as error:
                report.failed.append(Skipped(path.name, str(error)))
            if report.documents:
                # No file has an empty hash: the path is read again, under what was stated of it.
                addition.remember(key, digest if not report.failed else "", recipe)
        return report

    def _file(
        self, file: SourceFile, addition: Addition, report: PathReport, stated: StatedMetadata, origin: Origin
    ) -> None:
        report.files += 1
        if why := why_no_document(file):
            report.skipped.append(Skipped(file.name, why))
            return
        reader = self.reader or detect(file)
        if reader is None:
            report.failed.append(Skipped(file.name, "is in no format that a reader knows; name one with --reader"))
            return
        try:
            for item in reader.read(file):
                if isinstance(item, Skipped):
                    report.skipped.append(item)
                else:
                    self._document(stated.put_on(item), file, addition, report, origin)
            report.readers[reader.name] += 1
        except ReaderError as error:
            report.failed.append(Skipped(file.name, str(error)))
        self.progress(AddProgress(report.path, report.files, report.documents))

    def _document(
        self, parsed: ParsedDocument, file: SourceFile, addition: Addition, report: PathReport, origin: Origin
    ) -> None:
        document = parsed.document
        if self.known_sources is not None and document.source not in self.known_sources:
            known = ", ".join(self.known_sources)
            why = f"names the source {document.source[:80]!r}, which does not exist; sources: {known}"
            report.failed.append(Skipped(file.name, why))
            return
        if document.id in self._seen:
            report.skipped.append(Skipped(file.name, f"has the id {document.id}, which another document here has"))
            return
        cut = cut_document(parsed, self.limits)
        if not cut.entry.passages:
            report.skipped.append(Skipped(file.name, "has no text"))
            return
        try:
            report.changed += addition.put(cut, origin, replace=self.replace)
        except HeldElsewhereError as error:
            why = (
                f"has the id {document.id}, which the document added from {error.where} has. Give it an id of its own "
                "(rename the file, where its name is the id), or replace the other with --replace"
            )
            report.failed.append(Skipped(file.name, why))
            return
        self._seen.add(document.id)
        report.documents += 1
        report.passages += len(cut.entry.passages)
        recommendations = [p for p in cut.entry.passages if p.kind is PassageKind.RECOMMENDATION]
        report.recommendations += len(recommendations)
        report.graded += sum(p.strength is not None for p in recommendations)
        if report.documents % 50 == 0:
            self.progress(AddProgress(report.path, report.files, report.documents))

    def _recipe(self, stated: StatedMetadata) -> str:
        """Everything besides the bytes that decides what is made of a file."""
        readers = [self.reader] if self.reader else READERS
        made_with = " ".join([self.limits.version, *(reader.version for reader in readers)])
        return (
            made_with if stated == NOTHING_STATED else made_with + _STATED + stated.model_dump_json(exclude_none=True)
        )

    def _stated_before(self, path: Path) -> StatedMetadata:
        """What was stated of exactly this path."""
        _, mark, body = (self.library.recipe(path.as_posix()) or "").partition(_STATED)
        return StatedMetadata.model_validate_json(body) if mark else NOTHING_STATED

    def _stated_around(self, path: Path, below: Path | None = None) -> StatedMetadata:
        """What was stated of the folders that a path lies in; only of those under `below`, where that is given."""
        folders = [folder for folder in path.parents if below is None or below in folder.parents]
        return _more(*(self._stated_before(folder) for folder in reversed(folders)))


def _more(*stated: StatedMetadata) -> StatedMetadata:
    """All of it; of two that state one field the later goes first."""
    update = {field: value for item in stated for field, value in item.model_dump(exclude_none=True).items()}
    return StatedMetadata.model_validate(update)


def _own_place(path: Path, place: Path, file: SourceFile) -> Path:
    """Where a file lies that was found at `path`, which is at `place`; goes on into archives."""
    if path.is_dir():
        return place / file.name.removeprefix(f"{path.name}/")
    return place if file.name == path.name else place.parent / file.name


def _digest(path: Path) -> str:
    """SHA-256 (hex) of a file, or of the names and bytes of every file in a folder."""
    digest = hashlib.sha256()
    files = sorted(child for child in path.rglob("*") if child.is_file()) if path.is_dir() else [path]
    for file in files:
        digest.update(file.relative_to(path).as_posix().encode() + b"\x00")
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        digest.update(b"\x00")
    return digest.hexdigest()
