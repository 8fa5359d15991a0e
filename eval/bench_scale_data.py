"""A collection of a chosen size for the scale benchmark, as like a real one as what is at hand allows.

Documents come from a data directory's library, where there is one, besides the starter guidelines; vectors
from its vectors of record. What lacks is filled up and said so: passages by copies whose sentences are
shuffled and joined with another passage's, vectors by real ones moved to a cosine near that of true
neighbours. Nothing here is kept in the repository.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.conditions import QUESTIONS_FILE
from retrieval import LIBRARY_FILE, CorpusEntry, DocumentId, Encoder, Library, PassageId, SearchFilters, starter_entries
from retrieval.encoders import EncodeProgress, Vectors, unit_rows
from retrieval.searched_text import dense_text, text_hash
from retrieval.vectors import VectorStore

#: A copy's vector has this cosine with the vector it is made from: that of a passage with its nearest true
#: neighbour in the corpora at hand (median).
_NEIGHBOUR_COSINE = 0.85
_SAMPLE = 2_000  # texts encoded where no vectors of record are at hand
_SUPERSEDED = 0.03  # share of documents that a newer version replaces


class KnownVectors:
    """An encoder that encodes nothing: every text it is asked for has a vector already."""

    name = "known vectors"
    max_tokens = 256

    def __init__(self, vectors: dict[str, NDArray[np.float32]], dimension: int) -> None:
        """`vectors` by text hash, each of shape [dimension]."""
        self._vectors = vectors
        self.dimension = dimension
        self.fingerprint = f"bench-{dimension}"

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """See `Encoder.encode_passages`."""
        found = self.encode_queries(texts)
        if progress is not None and texts:
            progress(len(texts), len(texts))
        return found

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        return np.array([self._vectors[text_hash(text)] for text in texts], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, vectors of all their texts, and where both come from."""

    entries: tuple[CorpusEntry, ...]
    vectors: dict[str, NDArray[np.float32]]
    dimension: int
    passages: int
    #: Of the passages, how many are copies; of the vectors, how many were moved from a real one.
    copies: int
    moved: int
    origin: str


def collection(size: int, data: Path, vectors: Path, encoder: Encoder, seed: int = 20261121) -> Collection:
    """Documents with `size` passages (a few more, because documents stay whole).

    Args:
        data: a data directory; its library is read where there is one.
        vectors: a folder of vectors of record made by `encoder`; may be absent.
        encoder: encodes a sample where there are none.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    real = list(starter_entries())
    library = data / LIBRARY_FILE
    if library.is_file():
        with Library(library) as held:
            real.extend(held.entries())
    chance.shuffle(real)
    chosen = list(_up_to(size, real))
    count = sum(len(entry.passages) for entry in chosen)
    originals = count
    number = 0
    while count < size:
        entry, other = chance.choice(real), chance.choice(real)
        number += 1
        copied = _copy(entry, other, number, chance)
        chosen.append(copied)
        count += len(copied.passages)
    chosen = list(_superseding(chosen, chance))
    texts = {text_hash(dense_text(passage)): dense_text(passage) for entry in chosen for passage in entry.passages}
    known, moved = _vectors(texts, vectors, encoder, np.random.default_rng(seed))
    return Collection(
        entries=tuple(chosen),
        vectors=known,
        dimension=encoder.dimension,
        passages=count,
        copies=count - originals,
        moved=moved,
        origin=f"{originals} passages of {'added corpora and ' if library.is_file() else ''}the starter guidelines",
    )


def questions(file: Path | None) -> list[str]:
    """One question a line of `file`; without one, the project's condition questions."""
    if file is not None:
        return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    lines = QUESTIONS_FILE.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines if line.strip()]


def common_filters(entries: Sequence[CorpusEntry]) -> SearchFilters:
    """The region that most passages have, from the year on that leaves about half of those with a date."""
    return _filters(entries, rare=False)


def rare_filters(entries: Sequence[CorpusEntry]) -> SearchFilters:
    """The rarest region with at least 100 dated passages, from the same kind of year on."""
    return _filters(entries, rare=True)


def _filters(entries: Sequence[CorpusEntry], *, rare: bool) -> SearchFilters:
    counts: Counter[str] = Counter()
    for entry in entries:
        if entry.document.published:
            counts[entry.document.region] += len(entry.passages)
    ranked = [region for region, passages in counts.most_common() if passages >= 100] or list(counts)
    region = ranked[-1 if rare else 0]
    years = [
        entry.document.published[:4]
        for entry in entries
        for _ in entry.passages
        if entry.document.published and entry.document.region == region
    ]
    return SearchFilters(regions=(region,), published_from=sorted(years)[len(years) // 2])


def _up_to(size: int, entries: Sequence[CorpusEntry]) -> Iterator[CorpusEntry]:
    count = 0
    for entry in entries:
        if count >= size:
            return
        count += len(entry.passages)
        yield entry


def _copy(entry: CorpusEntry, other: CorpusEntry, number: int, chance: random.Random) -> CorpusEntry:
    document = entry.document.model_copy(update={"id": DocumentId(f"copy-{number}"), "supersedes": None})
    borrowed = [passage.text.split() for passage in other.passages]
    passages = []
    for place, passage in enumerate(entry.passages):
        words = passage.text.split()
        words = words[: len(words) * 2 // 3] + chance.choice(borrowed)[: max(1, len(words) // 3)]
        chance.shuffle(words)
        key = hashlib.sha256(f"{number}-{place}".encode()).hexdigest()[:8]
        passages.append(
            passage.model_copy(
                update={
                    "id": PassageId(f"copy-{number}#{place}"),
                    "document_id": document.id,
                    # So that no two copies have one text, and with it one vector.
                    "text": " ".join([*words, key]),
                    "start": None,
                    "end": None,
                }
            )
        )
    return CorpusEntry(document=document, passages=tuple(passages))


def _superseding(entries: list[CorpusEntry], chance: random.Random) -> Iterator[CorpusEntry]:
    """Some documents replace an earlier one, as yearly guidelines do."""
    for place, entry in enumerate(entries):
        if place and chance.random() < _SUPERSEDED:
            older = entries[place - 1].document.id
            yield entry.model_copy(update={"document": entry.document.model_copy(update={"supersedes": older})})
        else:
            yield entry


def _vectors(
    texts: dict[str, str], folder: Path, encoder: Encoder, chance: np.random.Generator
) -> tuple[dict[str, NDArray[np.float32]], int]:
    held = VectorStore(folder, fingerprint=encoder.fingerprint, dimension=encoder.dimension)
    real = [key for key in texts if key in held]
    known = dict(zip(real, held.get(real), strict=True))
    if not known:
        sample = list(texts)[:_SAMPLE]
        known = dict(zip(sample, encoder.encode_passages([texts[key] for key in sample]), strict=True))
    missing = [key for key in texts if key not in known]
    pool = np.array(list(known.values()), dtype=np.float32)
    for start in range(0, len(missing), 10_000):
        keys = missing[start : start + 10_000]
        base = pool[chance.integers(len(pool), size=len(keys))]
        noise = unit_rows(chance.standard_normal(base.shape))
        noise = unit_rows(noise - (noise * base).sum(axis=1, keepdims=True) * base)
        moved = _NEIGHBOUR_COSINE * base + (1 - _NEIGHBOUR_COSINE**2) ** 0.5 * noise
        known.update(zip(keys, unit_rows(moved), strict=True))
    return known, len(missing)
