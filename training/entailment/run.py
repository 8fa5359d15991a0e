"""One training run in one folder: pairs, training, decision, figures."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent.gate import SecondOpinion
from agent.gate.entailment.adapter import EntailmentCard, EntailmentFigure, revise_card, save_adapter
from agent.gate.entailment.decision import Decision
from agent.gate.entailment.minilm import MiniLMEntailment
from retrieval import Document, Passage, PassageId, RerankerError
from retrieval.reranking import BaseModel
from training.entailment.card import card_text
from training.entailment.config import EntailmentConfig
from training.entailment.dataset import Pair, training_pairs
from training.entailment.deciding import choose_decision
from training.entailment.measuring import figures, objections
from training.entailment.sentences import LabelledSentence, WrittenSentences, labelled
from training.errors import TrainingConfigError

#: Says what happens now: the stage, done, in all.
Progress = Callable[[str, int, int], None]


def train_scorer(
    folder: Path,
    config: EntailmentConfig,
    rows: Sequence[WrittenSentences],
    library: Mapping[PassageId, tuple[Passage, Document]],
    *,
    progress: Progress = lambda _stage, _done, _total: None,
) -> EntailmentCard:
    """Train on the part `train`, choose the decision on `calibration`, and measure on the others.

    The adapter is written to `folder`/adapter, with both cards. Stopped at any moment, the same call goes on where it
    was.

    Raises:
        TrainingDataError: the library holds none of the statements.
        CheckpointError: what is in the folder belongs to another run or cannot be read.
        TrainingConfigError: the base or torch is not installed.
        EntailmentError: as `MiniLMEntailment`.
    """
    sentences, lost = labelled(rows, library)
    pairs, counts = training_pairs(sentences, config)
    if lost:
        counts["statements that the library lacks or holds otherwise"] = lost
    adapter = folder / "adapter"
    try:
        train = importlib.import_module("training.entailment.train").train
        weights, seconds = train(pairs, BaseModel(), config, folder, data_hash=pairs_sha256(pairs), progress=progress)
    except (ImportError, RerankerError) as error:
        raise TrainingConfigError("Training needs torch: pip install 'clinsearch[dense]'.") from error
    save_adapter(
        adapter,
        weights,
        name="minilm-entailment",
        kept_layers=config.kept_layers,
        max_tokens=config.max_tokens,
        decision=Decision(),
        data_sha256=pairs_sha256(pairs),
        counts=counts,
        config=config.model_dump(),
        training_s=seconds,
    )
    card = decide(adapter, sentences, config, progress=progress)
    text = card_text(
        card, statements=len(rows) - lost, parameters=sum(int(value.numel()) for value in weights.values())
    )
    (adapter / "CARD.md").write_text(text, encoding="utf-8")
    return card


def decide(
    adapter: Path,
    sentences: Sequence[LabelledSentence],
    config: EntailmentConfig,
    *,
    progress: Progress = lambda _stage, _done, _total: None,
) -> EntailmentCard:
    """Choose the decision on `calibration`, measure on the parts not trained on, and write both into the card."""
    scorer = MiniLMEntailment(adapter)
    parts = {part: [one for one in sentences if one.part == part] for part in ("calibration", "dev", "test")}
    objected = objections(
        parts["calibration"], scorer, lambda done, total: progress("choosing the decision", done, total)
    )
    opinion = SecondOpinion(scorer, choose_decision(objected, most_wrong=config.most_wrong))
    found: list[EntailmentFigure] = []
    for number, (part, of_part) in enumerate(parts.items(), start=1):
        found += figures(part, of_part, opinion, chose=part == "calibration")
        progress("measuring", number, len(parts))
    return revise_card(adapter, decision=opinion.decision, figures=tuple(found))


def pairs_sha256(pairs: Sequence[Pair]) -> str:
    """Hash (hex) of the training pairs in their order."""
    return hashlib.sha256("\n".join(pair.model_dump_json() for pair in pairs).encode()).hexdigest()
