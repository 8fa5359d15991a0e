"""Action probabilities: how sure the model was of the action it chose.

The decision is the first token of the action's value. Its alternatives, as the server reports
them, are matched to action names by prefix; their probabilities are summed per action. `raw` is
that mass, `normalised` divides by the mass of all permitted actions. What the alternatives do not
show stays out: raw values are lower bounds when the server lists few alternatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from agent.actions import BEFORE_VALUE, ActionKind
from agent.client import TokenLogprob


class ActionProbabilities(BaseModel):
    """Probability mass of each action at the token that decided, in [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    raw: dict[ActionKind, float]
    #: None where no permitted action has any reported mass.
    normalised: dict[ActionKind, float] | None


def action_probabilities(
    tokens: Sequence[TokenLogprob] | None, permitted: Sequence[ActionKind]
) -> ActionProbabilities | None:
    """Read the probabilities from a decision's tokens.

    Returns None when the server gave no log-probabilities or the value's first token is not found.
    """
    before = ""
    for token in tokens or ():
        opening = BEFORE_VALUE.match(before + token.token)
        if opening is None or not (before + token.token)[opening.end() :]:
            before += token.token
            continue
        raw = dict.fromkeys(ActionKind, 0.0)
        alternatives = dict(token.top) | {token.token: token.logprob}
        for text, logprob in alternatives.items():
            match = BEFORE_VALUE.match(before + text)
            value = (before + text)[match.end() :] if match else ""
            kinds = [kind for kind in ActionKind if value and (kind.startswith(value) or value.startswith(f'{kind}"'))]
            if len(kinds) == 1:  # a first piece that fits two actions decides nothing
                raw[kinds[0]] += math.exp(logprob)
        mass = sum(raw[kind] for kind in permitted)
        return ActionProbabilities(
            raw={kind: min(value, 1.0) for kind, value in raw.items()},
            normalised={kind: raw[kind] / mass for kind in permitted} if mass > 0 else None,
        )
    return None
