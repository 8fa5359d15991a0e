"""The drug whose dose is asked for, and whether a passage states an amount of that drug.

To whoever asks for the dose of one drug, another drug's dose is no answer and a dangerous one to read first:
"colchicine in a flare" and "where colchicine is unsuitable, prednisolone 30 mg" share their words. So of what was
chosen, what states the drug's own amount comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.gate.lexicon import Kind, lexicon
from agent.gate.reading import read
from agent.gate.tokens import Token
from retrieval import Hit

_ASKED = re.compile(
    r"\b(?:dos(?:e|es|age|ing)|how (?:much|many (?:mg|mcg|milligrams?|micrograms?|grams?|units?|tablets?))|"
    r"what (?:mg|mcg|strength)|regimens?|mg per kg|mg/kg)\b",
    re.IGNORECASE,
)
#: Units of amounts of a drug, as the gate reads them; what is per litre or minute is a level or a rate.
_AMOUNT = re.compile(
    r"(?<![a-z])(?:mg|g|micrograms?|mcg|µg|units?|mmol|ml|tablets?|capsules?|puffs?|drops?|sachets?)\b"
    r"(?! ?/ ?(?:d?l|ml|min))"
)
#: An amount stands no further behind its drug than this.
_BEHIND = 14


def asks_dose(question: str) -> bool:
    """Whether a dose is asked for, of one drug or several."""
    return _ASKED.search(question) is not None


def drug_of_dose(question: str) -> str | None:
    """The one drug whose dose is asked for, as the gate names drugs; None where none is, or several may be meant."""
    if not asks_dose(question):
        return None
    named = {token.form: token.word for token in read(question).tokens if token.kind is Kind.DRUG}
    if len(named) != 1:
        return None
    ((form, word),) = named.items()
    # A class has no dose: which of its members is meant, the passages say.
    return None if {form, word} & lexicon().drug_classes else form


def states_amount(hit: Hit, drug: str) -> bool:
    """Whether a passage states an amount of a drug: behind its name before another drug's, or "30 mg (of)" it."""
    tokens = read(hit.passage.text).tokens
    return any(_has_amount(tokens, at) for at, token in enumerate(tokens) if token.form == drug)


def right_drug_first(hits: Sequence[Hit], question: str) -> tuple[Hit, ...]:
    """The same hits; where the dose of one drug is asked for and some state it, those before the others."""
    drug = drug_of_dose(question)
    if drug is None:
        return tuple(hits)
    return tuple(sorted(hits, key=lambda hit: not states_amount(hit, drug)))


def _has_amount(tokens: Sequence[Token], at: int) -> bool:
    if at and (_is_amount(tokens[at - 1]) or (at > 1 and tokens[at - 1].word == "of" and _is_amount(tokens[at - 2]))):
        return True
    for place, token in enumerate(tokens[at + 1 : at + 1 + _BEHIND], start=at + 1):
        if _is_amount(token):
            return not _is_of_another(tokens, place, tokens[at].form)
        if token.form == "." or (token.kind is Kind.DRUG and token.form != tokens[at].form):
            return False
    return False


def _is_of_another(tokens: Sequence[Token], amount: int, drug: str) -> bool:
    """Whether another drug stands right behind an amount: "where colchicine is unsuitable, 30 mg of prednisolone"."""
    behind = next((token for token in tokens[amount + 1 : amount + 3] if token.word != "of"), None)
    return behind is not None and behind.kind is Kind.DRUG and behind.form != drug


def _is_amount(token: Token) -> bool:
    return token.kind is Kind.MEASURE and _AMOUNT.search(token.word) is not None
