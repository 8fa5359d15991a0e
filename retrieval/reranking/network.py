"""The cross-encoder's network: question and passage read together by MiniLM, then one score.

    tokens   = [CLS] question [SEP] passage [SEP], contextual vectors from the encoder
    cosine   = cos(mean of the question's vectors, mean of the passage's)
    late     = mean over question tokens of the largest cosine with a passage token
               (MaxSim: Khattab, Zaharia: "ColBERT", SIGIR 2020, here within one joint encoding)
    score    = a * cosine + b * late + mlp([CLS]; u * v; |u - v|)

The first two terms are what all-MiniLM-L6-v2 already knows (it was trained for cosines of means), so training
starts from a ranking and not from chance; the mlp's last layer starts at zero. Imports torch: import this module
only where a model is really loaded. It knows nothing of files.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

#: The encoder's linear layers that carry a low-rank update.
LORA_LAYERS = ("query", "key", "value", "dense")
_HIDDEN = 64
#: First weights of the two cosines: they spread over about 0.5, which the softmax of the loss needs as some units.
_FIRST_WEIGHT = 8.0


class ScoringHead(nn.Module):
    """Contextual vectors of a pair to its score."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cosine_weight = nn.Parameter(torch.tensor(_FIRST_WEIGHT))
        self.late_weight = nn.Parameter(torch.tensor(_FIRST_WEIGHT))
        self.first = nn.Linear(3 * width, _HIDDEN)
        self.last = nn.Linear(_HIDDEN, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, hidden: Tensor, question: Tensor, passage: Tensor) -> Tensor:
        """Scores, shape [pairs].

        Args:
            hidden: shape [pairs, tokens, width].
            question: 1.0 at the tokens of the question, else 0.0; shape [pairs, tokens], at least one 1 a row.
            passage: the same for the passage.
        """
        q, p = _mean(hidden, question), _mean(hidden, passage)
        cosine = functional.cosine_similarity(q, p, dim=-1)
        unit = functional.normalize(hidden, dim=-1)
        pairs = unit @ unit.transpose(1, 2)
        best = pairs.masked_fill(passage[:, None, :] == 0, -1.0).amax(dim=-1)
        late = (best * question).sum(-1) / question.sum(-1)
        u, v = functional.normalize(q, dim=-1), functional.normalize(p, dim=-1)
        scale = hidden.shape[-1] ** 0.5  # components of unit vectors are small; this brings them to about 1
        features = torch.cat([hidden[:, 0], u * v * hidden.shape[-1], (u - v).abs() * scale], dim=-1)
        learned = self.last(functional.gelu(self.first(features))).squeeze(-1)
        return self.cosine_weight * cosine + self.late_weight * late + learned  # type: ignore[no-any-return]


class CrossEncoderNetwork(nn.Module):
    """An encoder of the BERT family with the scoring head."""

    def __init__(self, encoder: Any, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = ScoringHead(width)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Scores, shape [pairs], float32; arguments as the tokeniser gives them for text pairs."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state.float()
        question = ((token_type_ids == 0) & (attention_mask == 1)).float()
        question[:, 0] = 0.0  # [CLS] is no word of the question
        passage = ((token_type_ids == 1) & (attention_mask == 1)).float()
        # The head is small and its cosines want the precision.
        with torch.autocast("cpu", enabled=False):
            return self.head(hidden, question, passage)  # type: ignore[no-any-return]


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
