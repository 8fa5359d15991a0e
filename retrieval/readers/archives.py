"""Files out of folders and archives, one after the other.

Reads .zip, .tar, .tar.gz, .tar.xz, .gz and .xz, and archives inside them. Nothing is ever written under a
member's name, yet an archive with a member that would land outside its folder is refused as a whole: it
was made to harm. So is one that would unpack to an absurd size, whatever sizes it declares.
"""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from retrieval.errors import ArchiveRefusedError, ReaderError
from retrieval.readers.base import Skipped, SourceFile

_CHUNK = 1 << 20
_IN_MEMORY = 64 << 20
_NESTED = 3


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """When an archive is refused."""

    #: Bytes of all members together, and of one member.
    total: int = 4 << 30
    member: int = 512 << 20
    members: int = 200_000
    #: Unpacked to packed size, from `ratio_from` bytes on: text packs about 10 to 1, a bomb 1 000 to 1.
    ratio: int = 200
    ratio_from: int = 32 << 20


DEFAULT_LIMITS = ArchiveLimits()
FileItem = SourceFile | Skipped


def files_in(path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[FileItem]:
    """Every file at a path, unpacked where it is an archive, in order of name.

    Raises:
        ArchiveRefusedError: `path` itself is an archive that is refused or damaged. One inside a folder
            or another archive is skipped by name.
        ReaderError: `path` cannot be read.
    """
    if path.is_dir():
        for child in sorted(path.rglob("*")):
            if (
                child.is_symlink()
                or not child.is_file()
                or any(part.startswith(".") for part in child.parts[len(path.parts) :])
            ):
                continue
            name = child.relative_to(path.parent).as_posix()
            try:
                yield from _unpack(name, child.open("rb"), child.stat().st_size, limits, 0)
            except (ReaderError, OSError) as error:
                yield Skipped(name, _why(error))
        return
    try:
        yield from _unpack(path.name, path.open("rb"), path.stat().st_size, limits, 0)
    except OSError as error:
        raise ReaderError(f"cannot be read ({_why(error)})") from error


def _unpack(name: str, stream: IO[bytes], size: int, limits: ArchiveLimits, depth: int) -> Iterator[FileItem]:
    with stream:
        head = stream.read(8)
        stream.seek(0)
        try:
            if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
                yield from _zip(name, stream, limits, depth)
            elif head.startswith((b"\xfd7zXZ\x00", b"\x1f\x8b")):
                with (
                    lzma.LZMAFile(stream) if head[0] == 0xFD else gzip.GzipFile(fileobj=stream) as opened,
                    tempfile.SpooledTemporaryFile(_IN_MEMORY) as whole,
                ):
                    unpacked = _copy(opened, whole, limits.total, size, limits)
                    whole.seek(0)
                    inner = _inner_name(name)
                    if _is_tar(whole):
                        yield from _tar(name, whole, limits, depth, size)
                    else:
                        yield from _nested(inner, whole.read(), limits, depth, unpacked)
            elif name.lower().endswith(".tar") and _is_tar(stream):
                yield from _tar(name, stream, limits, depth, size)
            else:
                if size > limits.member:
                    raise ReaderError(f"is larger than {limits.member >> 20} MiB")
                yield SourceFile(name, stream.read())
        except (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
            raise ReaderError("is a damaged archive") from error
        except (NotImplementedError, RuntimeError) as error:
            raise ReaderError("is an archive packed or encrypted in a way that cannot be read") from error
        except gzip.BadGzipFile as error:
            raise ReaderError("is a damaged archive") from error


def _nested(name: str, data: bytes, limits: ArchiveLimits, depth: int, size: int) -> Iterator[FileItem]:
    if depth >= _NESTED:
        yield Skipped(name, f"is packed more than {_NESTED} archives deep")
        return
    yield from _unpack(name, io.BytesIO(data), size, limits, depth + 1)


def _zip(name: str, stream: IO[bytes], limits: ArchiveLimits, depth: int) -> Iterator[FileItem]:
    with zipfile.ZipFile(stream) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        for info in members:
            _check_name(info.filename)
            if stat.S_ISLNK(info.external_attr >> 16):
                raise ArchiveRefusedError("holds a link, which could lead outside its folder")
        packed = sum(info.compress_size for info in members)
        _check_size(sum(info.file_size for info in members), packed, len(members), limits)
        left = limits.total
        for info in sorted(members, key=lambda info: info.filename):
            with archive.open(info) as member:
                data = io.BytesIO()
                # The declared size may lie, so what comes out is counted.
                left -= _copy(member, data, min(left, limits.member), info.compress_size, limits)
            yield from _member(name, info.filename, data.getvalue(), limits, depth)


def _tar(name: str, stream: IO[bytes], limits: ArchiveLimits, depth: int, packed: int) -> Iterator[FileItem]:
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        members = []
        for info in archive:
            _check_name(info.name)
            if info.issym() or info.islnk():
                raise ArchiveRefusedError("holds a link, which could lead outside its folder")
            if info.isfile():
                members.append(info)
            elif not info.isdir():
                raise ArchiveRefusedError("holds something that is neither a file nor a folder")
            if len(members) > limits.members:
                break
        _check_size(sum(info.size for info in members), packed, len(members), limits)
        for info in sorted(members, key=lambda info: info.name):
            if info.size > limits.member:
                raise ArchiveRefusedError(f"holds a file larger than {limits.member >> 20} MiB")
            member = archive.extractfile(info)
            assert member is not None
            yield from _member(name, info.name, member.read(), limits, depth)


def _member(archive: str, name: str, data: bytes, limits: ArchiveLimits, depth: int) -> Iterator[FileItem]:
    inner = f"{archive}/{name.removeprefix('./')}"
    if any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name.removeprefix("./")).parts):
        return
    try:
        yield from _nested(inner, data, limits, depth, len(data))
    except ReaderError as error:
        yield Skipped(inner, _why(error))


def _check_name(name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":") or "\x00" in name:
        raise ArchiveRefusedError("would unpack outside its folder")


def _check_size(unpacked: int, packed: int, members: int, limits: ArchiveLimits) -> None:
    if members > limits.members:
        raise ArchiveRefusedError(f"holds more than {limits.members} files")
    if unpacked > limits.total or (unpacked > limits.ratio_from and unpacked > packed * limits.ratio):
        raise ArchiveRefusedError("would unpack to an absurd size")


def _copy(
    source: IO[bytes] | lzma.LZMAFile | gzip.GzipFile,
    target: IO[bytes],
    at_most: int,
    packed: int,
    limits: ArchiveLimits,
) -> int:
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += len(chunk)
        if copied > at_most:
            raise ArchiveRefusedError("would unpack to an absurd size")
        _check_size(copied, packed, 0, limits)
        target.write(chunk)
    return copied


def _is_tar(stream: IO[bytes]) -> bool:
    stream.seek(257)
    found = stream.read(5) == b"ustar"
    stream.seek(0)
    return found


def _inner_name(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in (".xz", ".gz") else name


def _why(error: Exception) -> str:
    return (error.strerror or "the disk failed") if isinstance(error, OSError) else str(error)
