"""If these fail, meaning-based search finds the wrong passages or cannot start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.encoders import Encoder, HashingEncoder, MiniLmEncoder, unit_rows

ROOT = Path(__file__).parents[3]

TEXTS = [
    "Asthma attack. Give inhaled salbutamol through a spacer.",
    "Gout. Start colchicine for an acute flare.",
    "Lower urinary tract infection. Offer nitrofurantoin for three days.",
]


@given(st.lists(st.text(max_size=80), max_size=6))
def test_hashed_vectors_are_unit_and_repeatable(texts: list[str]) -> None:
    encoder: Encoder = HashingEncoder(64)
    vectors = encoder.encode_passages(texts)
    assert vectors.shape == (len(texts), 64)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors, encoder.encode_queries(texts))


def test_hashed_texts_that_share_words_or_stems_are_near() -> None:
    a, b, c = HashingEncoder().encode_queries(["inhaled salbutamol", "salbutamol inhaler", "urine culture"])
    assert a @ b > 0.5 > a @ c


def test_hashed_vectors_never_change() -> None:
    """They are kept in indexes under the encoder's fingerprint."""
    vector = HashingEncoder(8).encode_queries(["amoxicillin 500 mg"])[0]
    expected = [0.283955, 0.0, -0.247425, 0.485401, 0.677244, 0.393289, 0.077657, 0.056306]
    np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_a_dimension_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        HashingEncoder(1)


def test_a_zero_row_stays_zero() -> None:
    np.testing.assert_array_equal(unit_rows(np.zeros((1, 3))), np.zeros((1, 3)))


def test_hashing_never_loads_torch() -> None:
    """The service and most tests start without it, in a second instead of ten."""
    script = "import sys, retrieval; retrieval.HashingEncoder().encode_queries(['a']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


@pytest.fixture(scope="module")
def minilm() -> MiniLmEncoder:
    return MiniLmEncoder()


@pytest.mark.slow
def test_minilm_knows_what_the_words_do_not_say(minilm: MiniLmEncoder) -> None:
    passages = minilm.encode_passages(TEXTS)
    queries = minilm.encode_queries(
        ["bronchodilator for wheezing", "painful swollen big toe", "antibiotic for cystitis"]
    )
    assert (queries @ passages.T).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.slow
def test_minilm_vectors_are_unit_float32_of_the_stated_dimension(minilm: MiniLmEncoder) -> None:
    vectors = minilm.encode_passages(TEXTS)
    assert vectors.shape == (3, minilm.dimension) == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert minilm.encode_queries([]).shape == (0, 384)


@pytest.mark.slow
def test_minilm_repeats_itself(minilm: MiniLmEncoder) -> None:
    """The same question gives the same ranking, alone or beside other questions."""
    np.testing.assert_array_equal(minilm.encode_queries(TEXTS), minilm.encode_queries(TEXTS))
    np.testing.assert_array_equal(minilm.encode_passages(TEXTS), minilm.encode_passages(TEXTS))
    alone = np.concatenate([minilm.encode_queries([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, minilm.encode_queries(TEXTS), atol=1e-6)


@pytest.mark.slow
def test_minilm_half_precision_stays_near_full(minilm: MiniLmEncoder) -> None:
    half = MiniLmEncoder(precision="bf16").encode_passages(TEXTS)
    full = MiniLmEncoder(precision="fp32").encode_passages(TEXTS)
    assert (half * full).sum(axis=1).min() > 0.99


@pytest.mark.slow
def test_minilm_starts_silent_and_without_network() -> None:
    """Nothing is drawn into the terminal, no warning is raised, no socket is opened."""
    script = (
        "import json, socket, sys\n"
        "def refuse(*_, **__): raise OSError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from retrieval.encoders import MiniLmEncoder\n"
        "e = MiniLmEncoder(); v = e.encode_queries(['asthma'])\n"
        "sys.stdout.write(json.dumps([e.fingerprint, e.max_tokens, list(v.shape)]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    fingerprint, max_tokens, shape = json.loads(done.stdout)
    assert fingerprint.startswith("all-MiniLM-L6-v2-")
    assert (max_tokens, shape) == (256, [1, 384])
