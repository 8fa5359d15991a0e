"""The second opinion that settings ask for, ready to be given to the gate."""

from __future__ import annotations

from agent.errors import EntailmentError
from agent.gate import SecondOpinion
from agent.gate.entailment.minilm import PACKAGED_ADAPTER, MiniLMEntailment
from service.settings import Settings


def make_second_opinion(settings: Settings) -> SecondOpinion | None:
    """The scorer with its decision, or None where it is off: by setting, or with "auto" because it is not installed.

    With the encoder that has no weights "auto" loads none either. The model is loaded when it is first asked.

    Raises:
        EntailmentError: it is set to "on" and cannot be had.
    """
    if settings.entailment == "off" or (settings.entailment == "auto" and settings.encoder == "hashing"):
        return None
    try:
        scorer = MiniLMEntailment(settings.entailment_adapter or PACKAGED_ADAPTER)
    except EntailmentError:
        if settings.entailment == "on":
            raise
        return None
    return SecondOpinion(scorer, scorer.card.decision)
