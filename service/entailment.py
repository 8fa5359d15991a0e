"""The second opinion that settings ask for, ready to be given to the gate."""

from __future__ import annotations

from agent.gate import SecondOpinion
from agent.gate.entailment.minilm import MiniLMEntailment
from service.settings import Settings


def make_second_opinion(settings: Settings) -> SecondOpinion | None:
    """The scorer with its decision, or None where no adapter is named. The model is loaded when it is first asked.

    Raises:
        EntailmentError: the adapter or its base is not there.
    """
    if settings.entailment_adapter is None:
        return None
    scorer = MiniLMEntailment(settings.entailment_adapter)
    return SecondOpinion(scorer, scorer.card.decision)
