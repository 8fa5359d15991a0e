"""Question sets by name: starter conditions, real guidelines, public benchmarks, or any folder in the BEIR layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from eval.retrieval.errors import SetMissingError
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.sets.beir import read_beir
from eval.retrieval.sets.bioasq import read_bioasq
from eval.retrieval.sets.guidelines import read_guidelines
from eval.retrieval.sets.locating import benchmarks_folder, corpora_folder
from eval.retrieval.sets.mediqa import read_mediqa
from eval.retrieval.sets.nfcorpus import read_nfcorpus
from eval.retrieval.sets.starter import read_starter

__all__ = ["NAMED_SETS", "benchmarks_folder", "corpora_folder", "load_set", "read_beir"]

#: Sets that have a name. The files of benchmarks and corpora are not part of this project.
NAMED_SETS: Mapping[str, Callable[[], QuestionSet]] = {
    "starter": read_starter,
    "nfcorpus": lambda: read_nfcorpus(benchmarks_folder()),
    "mediqa": lambda: read_mediqa(benchmarks_folder()),
    "mediqa-alexa": lambda: read_mediqa(benchmarks_folder(), "TrainingSet2-Alexa", "mediqa-alexa"),
    "mediqa-validation": lambda: read_mediqa(benchmarks_folder(), "ValidationSet", "mediqa-validation"),
    "bioasq": lambda: read_bioasq(benchmarks_folder()),
    "guidelines": lambda: read_guidelines(corpora_folder()),
    "guidelines-dev": lambda: read_guidelines(corpora_folder(), split="dev"),
    "guidelines-test": lambda: read_guidelines(corpora_folder(), split="test"),
}


def load_set(name: str, *, split: str | None = None) -> QuestionSet:
    """The set of this name, or of the folder at this path.

    Args:
        name: one of `NAMED_SETS`, or a folder in the BEIR layout.
        split: which file of the folder's `qrels/` is used; only for folders.

    Raises:
        SetMissingError: its files are not on this machine, or there is no set of this name.
        SetInvalidError: its files are damaged.
    """
    if name in NAMED_SETS:
        return NAMED_SETS[name]()
    folder = Path(name)
    if folder.is_dir():
        return read_beir(folder, split=split)
    known = ", ".join(NAMED_SETS)
    raise SetMissingError(f"There is no set {name[:80]!r}: use one of {known}, or a folder in the BEIR layout.")
