"""What every encoder keeps. If these fail, an index is wrong, or a service breaks under several users."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders import Encoder, EncoderOptions, HashingEncoder, LocalEncoder, MiniLmEncoder
from retrieval.encoders.choice import local_config
from tests.retrieval.encoders.embedding_server import EmbeddingServer

TEXTS = [
    "Asthma. Give inhaled salbutamol through a spacer.",
    "Gout. " + "Start colchicine for an acute flare. " * 12,
    "",
    "Grippe. Proposer l'oseltamivir sous 48 heures à 1,5 µg. 流感。",
    "Gout",
]


def _local(directory: Path, **options: object) -> Encoder:
    return LocalEncoder(local_config(EncoderOptions.model_validate({"model": str(directory), **options})))


def _minilm(_: Path) -> Encoder:
    return MiniLmEncoder()


def _hashing(_: Path) -> Encoder:
    return HashingEncoder(64)


def _remote(_: Path) -> Encoder:
    return EmbeddingServer().encoder()


def _medcpt(path: Path) -> Encoder:
    from tests.retrieval.encoders.tiny_models import bert

    queries = bert(path / "queries", 1)
    config = local_config(
        EncoderOptions(encoder="medcpt", model=str(bert(path / "articles", 2)), query_model=str(queries))
    )
    return LocalEncoder(config.model_copy(update={"passages": config.passages.model_copy(update={"max_tokens": 128})}))


def _qwen3(path: Path) -> Encoder:
    from tests.retrieval.encoders.tiny_models import qwen3

    return _local(qwen3(path), encoder="qwen3-embedding", max_tokens=256, dimension=16)


def _bge(path: Path) -> Encoder:
    from tests.retrieval.encoders.tiny_models import xlm_roberta

    return _local(xlm_roberta(path), encoder="bge-m3", max_tokens=256)


MAKERS: dict[str, Callable[[Path], Encoder]] = {
    "hashing": _hashing,
    "remote": _remote,
    "minilm": _minilm,
    "medcpt": _medcpt,
    "qwen3": _qwen3,
    "bge-m3": _bge,
}
_FAST = ("hashing", "remote")


@pytest.fixture(
    scope="module",
    params=[name if name in _FAST else pytest.param(name, marks=pytest.mark.slow) for name in MAKERS],
)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return MAKERS[request.param](tmp_path_factory.mktemp(request.param))


def test_vectors_are_unit_float32_in_the_order_of_the_texts(encoder: Encoder) -> None:
    for vectors in (encoder.encode_passages(TEXTS), encoder.encode_queries(TEXTS)):
        assert vectors.shape == (len(TEXTS), encoder.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    backwards = encoder.encode_queries(TEXTS[::-1])[::-1]
    np.testing.assert_allclose(backwards, encoder.encode_queries(TEXTS), atol=1e-4)


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    assert encoder.encode_passages([], lambda *at: seen.append(at)).shape == (0, encoder.dimension)
    assert encoder.encode_queries([]).shape == (0, encoder.dimension)
    assert seen == []


def test_a_vector_does_not_depend_on_its_neighbours(encoder: Encoder) -> None:
    """A question ranks alike alone and beside others."""
    alone = np.concatenate([encoder.encode_queries([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), alone, atol=1e-4)
    alone = np.concatenate([encoder.encode_passages([text]) for text in TEXTS])
    assert (encoder.encode_passages(TEXTS) * alone).sum(axis=1).min() > 0.99


def test_the_same_texts_give_the_same_vectors(encoder: Encoder) -> None:
    np.testing.assert_array_equal(encoder.encode_queries(TEXTS), encoder.encode_queries(TEXTS))
    np.testing.assert_array_equal(encoder.encode_passages(TEXTS), encoder.encode_passages(TEXTS))


def test_a_text_longer_than_the_encoder_reads_is_cut(encoder: Encoder) -> None:
    long = "fever cough " * 20_000
    vectors = encoder.encode_passages([long, long + "rash"])
    assert (vectors[0] @ vectors[1]) > 0.999
    assert encoder.encode_queries([long]).shape == (1, encoder.dimension)


def test_several_threads_may_encode_at_once(encoder: Encoder) -> None:
    expected = encoder.encode_queries(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: encoder.encode_queries(TEXTS), range(8)))
    for vectors in found:
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_progress_grows_to_the_whole(encoder: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    texts = [f"{word} {number}" for number in range(20) for word in TEXTS]
    encoder.encode_passages(texts, lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (100, 100)
    assert {total for _, total in seen} == {100}


def test_names_and_limits_are_stated(encoder: Encoder) -> None:
    assert encoder.name
    assert encoder.fingerprint == encoder.fingerprint
    assert encoder.max_tokens >= 8


def test_fingerprints_differ_between_encoders(tmp_path: Path) -> None:
    made: list[Encoder] = [HashingEncoder(64), HashingEncoder(32), EmbeddingServer().encoder()]
    assert len({encoder.fingerprint for encoder in made}) == 3
