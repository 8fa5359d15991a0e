"""If these fail, a hostile archive harms the machine, or one broken file keeps the others out."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from retrieval import ArchiveRefusedError, CutLimits, EstimatedCounter, Library, ReaderError, add_paths
from retrieval.readers import ArchiveLimits, Skipped, SourceFile, files_in

PAGE = b"# Example\n\nOffer the example to adults. (Strong for)\n"


def tar_bytes(*members: tuple[str, bytes], link: str | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo("link.md")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return out.getvalue()


def zip_bytes(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", PAGE),
        ("a.md.gz", gzip.compress(PAGE)),
        ("a.md.xz", lzma.compress(PAGE)),
        ("a.tar", tar_bytes(("a.md", PAGE))),
        ("a.tar.gz", gzip.compress(tar_bytes(("a.md", PAGE)))),
        ("a.tar.xz", lzma.compress(tar_bytes(("a.md", PAGE)))),
        ("a.zip", zip_bytes(("a.md", PAGE))),
        ("b.zip", zip_bytes(("a.tar.xz", lzma.compress(tar_bytes(("a.md", PAGE)))))),
    ],
    # Compressed bytes hold the time they were made at, which must not name a test.
    ids=["plain", "gz", "xz", "tar", "tar.gz", "tar.xz", "zip", "nested"],
)
def test_files_come_out_of_every_kind_of_archive(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    (found,) = files_in(tmp_path / name)
    assert isinstance(found, SourceFile)
    assert (found.path.name, found.data) == ("a.md", PAGE)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tar", tar_bytes(("ok.md", PAGE), ("../out.md", PAGE))),
        ("a.tar", tar_bytes(("/etc/out.md", PAGE))),
        ("a.tar", tar_bytes(("ok.md", PAGE), link="/etc/passwd")),
        ("a.zip", zip_bytes(("ok.md", PAGE), ("..\\..\\out.md", PAGE))),
        ("a.zip", zip_bytes(("zeros.md", bytes(40 << 20)))),
        ("a.gz", gzip.compress(bytes(40 << 20))),
        ("a.tar.xz", lzma.compress(tar_bytes(("zeros.md", bytes(40 << 20))))),
    ],
    ids=["parent", "absolute", "link", "backslashes", "zip-bomb", "gz-bomb", "tar-xz-bomb"],
)
def test_an_archive_made_to_harm_is_refused_as_a_whole(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ArchiveRefusedError, match=r"outside its folder|absurd size"):
        list(files_in(tmp_path / name))


def test_limits_hold_without_compression(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_bytes(("a.md", PAGE), ("b.md", PAGE)))
    with pytest.raises(ArchiveRefusedError, match="more than 1 files"):
        list(files_in(tmp_path / "a.tar", ArchiveLimits(members=1)))
    with pytest.raises(ArchiveRefusedError, match="absurd"):
        list(files_in(tmp_path / "a.tar", ArchiveLimits(total=60)))


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_bytes(("a.md", PAGE))[:-30])
    with pytest.raises(ReaderError, match="damaged"):
        list(files_in(tmp_path / "a.zip"))
    (tmp_path / "b.tar.xz").write_bytes(lzma.compress(tar_bytes(("a.md", PAGE)))[:-30])
    assert [type(item) for item in files_in(tmp_path)] == [Skipped, Skipped]


def test_a_broken_file_is_skipped_by_name_and_the_others_go_in(tmp_path: Path) -> None:
    pack = zip_bytes(("bad.pdf", b"%PDF-1.4 nothing"), ("bad.json", b"{"), ("good.md", PAGE), ("README.md", b"about"))
    (tmp_path / "pack.zip").write_bytes(pack)
    with Library(tmp_path / "library.sqlite") as library:
        (report,) = add_paths([tmp_path / "pack.zip"], library, CutLimits(EstimatedCounter()))
        assert (report.documents, report.graded) == (1, 1)
        assert {Path(item.name).name for item in report.failed} == {"bad.pdf", "bad.json"}
        assert [Path(item.name).name for item in report.skipped] == ["README.md"]
        assert [entry.document.title for entry in library.entries()] == ["Example"]
