"""The network of the entailment scorer: sentence and premise read together by MiniLM, then compared token by token.

    hidden   = [CLS] sentence [SEP] premise [SEP], contextual vectors from the encoder
    aligned  = for each sentence token the mean of the premise's vectors, weighted by softmax(temperature * cosine)
    compared = what a small layer makes of a token, its aligned vector, their difference and the best cosine
    score    = what the last layers make of the largest and the mean of `compared`, of [CLS], and of three cosines

One token that nothing in the premise says makes a sentence wrong, which a mean of vectors does not show: so the largest
of each component is kept beside the mean (Parikh et al., "A Decomposable Attention Model for Natural Language
Inference", EMNLP 2016; Chen et al., "Enhanced LSTM for Natural Language Inference", ACL 2017). Imports torch: import
this module only where a model is really loaded. It knows nothing of files.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_HIDDEN = 96
_FIRST_TEMPERATURE = 10.0
_DROPOUT = 0.1
#: Cosines are small beside the other features.
_COSINE_SCALE = 4.0
_NEVER = -1e4


class ComparingHead(nn.Module):
    """Contextual vectors of a pair to log-odds."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.aligning = nn.Linear(width, width, bias=False)
        nn.init.eye_(self.aligning.weight)
        self.temperature = nn.Parameter(torch.tensor(_FIRST_TEMPERATURE))
        self.comparing = nn.Sequential(nn.Linear(3 * width + 1, _HIDDEN), nn.GELU())
        self.dropout = nn.Dropout(_DROPOUT)
        self.judging = nn.Sequential(nn.Linear(2 * _HIDDEN + width + 3, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, 1))
        self._scale = width**0.5

    def forward(self, hidden: Tensor, sentence: Tensor, premise: Tensor) -> Tensor:
        """Log-odds, shape [pairs].

        Args:
            hidden: shape [pairs, tokens, width], float32.
            sentence: 1.0 at the tokens of the sentence, else 0.0; shape [pairs, tokens], at least one 1 a row, and the
                sentence before the premise.
            premise: the same for the premise.
        """
        nearness = functional.cosine_similarity(_mean(hidden, sentence), _mean(hidden, premise))
        first = int(sentence.sum(1).max().item()) + 1  # [CLS] stands before the sentence
        said = sentence[:, :first]
        unit = functional.normalize(self.aligning(hidden), dim=-1)
        cosines = unit[:, :first] @ unit.transpose(1, 2)
        elsewhere = premise[:, None, :] == 0
        weights = (cosines * self.temperature).masked_fill(elsewhere, _NEVER).softmax(-1)
        vectors = functional.normalize(hidden, dim=-1) * self._scale
        aligned, own = weights @ vectors, vectors[:, :first]
        best = cosines.masked_fill(elsewhere, -1.0).amax(-1)
        compared = self.dropout(
            self.comparing(
                torch.cat([own, own * aligned, (own - aligned).abs(), best[..., None] * _COSINE_SCALE], dim=-1)
            )
        )
        largest = compared.masked_fill(said[..., None] == 0, _NEVER).amax(1)
        cosine_features = torch.stack(
            [(best * said).sum(1) / said.sum(1), best.masked_fill(said == 0, 2.0).amin(1), nearness], dim=1
        )
        features = [largest, _mean(compared, said), hidden[:, 0], cosine_features * _COSINE_SCALE]
        return self.judging(torch.cat(features, dim=1)).squeeze(-1)  # type: ignore[no-any-return]


class EntailmentNetwork(nn.Module):
    """An encoder of the BERT family with the comparing head."""

    def __init__(self, encoder: Any, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = ComparingHead(width)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Log-odds, shape [pairs], float32; arguments as the tokeniser gives them for text pairs."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state.float()
        sentence, premise = token_masks(attention_mask, token_type_ids)
        with torch.autocast("cpu", enabled=False):
            return self.head(hidden, sentence, premise)  # type: ignore[no-any-return]


def token_masks(attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
    """Where the sentence and where the premise stands, 1.0 or 0.0, each of shape [pairs, tokens]."""
    sentence = ((token_type_ids == 0) & (attention_mask == 1)).float()
    sentence[:, 0] = 0.0  # [CLS] is no word of the sentence
    return sentence, ((token_type_ids == 1) & (attention_mask == 1)).float()


def _mean(vectors: Tensor, mask: Tensor) -> Tensor:
    return (vectors * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
