"""If these fail, one damaged or hostile file stops a whole corpus from going in, or takes the machine with it."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import CutLimits, EstimatedCounter, Library, ReaderError, add_paths
from retrieval.chunking import cut_document
from retrieval.readers import READERS, ArchiveLimits, Skipped, SourceFile, detect, files_in, reader_named
from tests.retrieval.readers.samples import NGC, SAMPLES, pdf, shown

LIMITS = CutLimits(EstimatedCounter())
PAGE = shown(70, 100, "Offer rest to everyone who is tired after a long day of work.") * 4
FILES = {name: (file, text.encode()) for name, (file, text) in SAMPLES.items()} | {"pdf": ("a.pdf", pdf(PAGE))}


def read_all(reader_name: str, file: str, data: bytes) -> int:
    """Documents that a reader gives; only `ReaderError` may stop it."""
    try:
        items = list(reader_named(reader_name).read(SourceFile(file, data)))
    except ReaderError:
        return 0
    parsed = [item for item in items if not isinstance(item, Skipped)]
    return sum(len(cut_document(item, LIMITS).entry.passages) > 0 for item in parsed)


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_sample_is_known_and_read(name: str) -> None:
    file, data = FILES[name]
    found = detect(SourceFile(file, data))
    assert found is not None
    assert found.name == name
    assert read_all(name, file, data) >= 1


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_cut_short_anywhere_is_refused_or_read_as_far_as_it_goes(name: str) -> None:
    file, data = FILES[name]
    for part in range(0, 12):
        read_all(name, file, data[: len(data) * part // 12])


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_file_with_any_byte_changed_stops_nothing(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    file, content = FILES[name]
    place = data.draw(st.integers(0, len(content) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=8))
    read_all(name, file, content[:place] + junk + content[place + len(junk) :])


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(sorted(reader.name for reader in READERS)))
def test_no_reader_breaks_on_what_is_not_its_format(content: bytes, name: str) -> None:
    read_all(name, "a.bin", content)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("name", ["html", "jsonl", "markdown", "uspstf", "nigeria-stg", "ngc"])
def test_encodings_with_a_byte_order_mark_are_read(name: str, encoding: str) -> None:
    file, text = SAMPLES[name]
    assert read_all(name, file, text.encode(encoding)) >= 1


@pytest.mark.parametrize("name", ["html", "jsonl", "markdown", "uspstf", "nigeria-stg", "mmwr"])
def test_another_encoding_is_refused_not_guessed(name: str) -> None:
    with pytest.raises(ReaderError, match="text"):
        list(reader_named(name).read(SourceFile(SAMPLES[name][0], SAMPLES[name][1].encode() + b"\xe9t\xe9 \xff")))


def test_an_entity_bomb_is_refused() -> None:
    entities = '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    for name, body in (("ngc", NGC.replace("Adults", "&a11;")), ("medquad", "<Document>&a11;</Document>")):
        start = time.monotonic()
        assert read_all(name, "a.xml", f"<!DOCTYPE x [{entities}]>{body}".encode()) == 0
        assert time.monotonic() - start < 5


def test_an_outer_entity_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not for you")
    text = NGC.replace("Adults", "&x;")
    bomb = f'<!DOCTYPE x [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>{text}'
    assert read_all("ngc", "a.xml", bomb.encode()) == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uspstf", '{"generalRecommendations": ' + "[" * 100_000),
        ("jsonl", '{"text": ' + "[" * 100_000 + "\n"),
        ("beir", '{"_id": ' + "[" * 100_000 + "\n"),
        ("mmwr", '{"https://www.cdc.gov/mmwr/a": ' + "[" * 100_000),
        ("html", "<html><body>" + "<div>" * 3_000 + "rest" + "</div>" * 3_000),
        ("html", "<html><body>" + "<ul><li>rest" * 1_500),
        ("markdown", "> " * 3_000 + "rest"),
        ("markdown", "---\n" + "a: &a [" * 40 + "\n---\nrest"),
        ("html", "<html><body>" + "<ul><li>rest" * 45),
        ("ngc", NGC.replace("Offer rest", "&lt;div&gt;" * 3_000 + "Offer rest")),
    ],
    ids=[
        "uspstf",
        "jsonl",
        "beir",
        "mmwr",
        "html",
        "html-lists",
        "markdown",
        "front-matter",
        "html-fewer-lists",
        "ngc",
    ],
)
def test_absurd_nesting_is_survived(name: str, text: str) -> None:
    read_all(name, SAMPLES[name][0], text.encode())


def test_a_table_that_claims_absurd_spans_stays_small() -> None:
    text = (
        '<html><body><table><tr><td colspan="99999999" rowspan="99999999">x</td><td>y</td></tr></table></body></html>'
    )
    assert read_all("html", "a.html", text.encode()) == 1


def test_a_zip_that_declares_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.md", bytes(3 << 20))
    packed = out.getvalue().replace((3 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(ReaderError):
        list(files_in(tmp_path / "a.zip", ArchiveLimits(member=1 << 20)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_an_archive_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("a.md")
        info.type, info.linkname = kind, "b.md"
        archive.addfile(info)
    with pytest.raises(ReaderError):
        list(files_in(tmp_path / "a.tar"))


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out.md").write_text("# Outside\n\nNot to be read.")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.md").symlink_to(tmp_path / "out.md")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    assert list(files_in(tmp_path / "in")) == []


def test_archives_packed_too_deep_are_left_out_by_name(tmp_path: Path) -> None:
    data = b"# Rest\n\nOffer rest."
    for _ in range(6):
        data = lzma.compress(data)
    (tmp_path / "a.md.xz").write_bytes(data)
    (found,) = files_in(tmp_path / "a.md.xz")
    assert isinstance(found, Skipped)
    assert "deep" in found.why


def test_everything_broken_at_once_still_lets_the_good_ones_in(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    for name, (file, data) in FILES.items():
        path = folder / f"{name}{Path(file).suffix}"
        path.write_bytes(data[: len(data) // 2])
    (folder / "good.md").write_text("# Rest\n\nOffer rest. (Strong for)")
    (folder / "empty.json").write_text(json.dumps({}))
    with Library(tmp_path / "library.sqlite") as library:
        (report,) = add_paths([folder], library, LIMITS)
        titles = {entry.document.title for entry in library.entries()}
    assert "Rest" in titles
    assert report.failed
    assert all(item.why for item in [*report.failed, *report.skipped])
