"""From written sentences to training pairs, with pairs that take away what could be learnt instead of meaning.

Most wrong sentences near a statement's wording keep its order and change a word, most faithful ones change the order.
So that neither order nor a changed word decides: statements as they stand are faithful pairs too, and what a wrong
sentence puts in the place of the statement's words is put into the faithful sentences as well, where those words stand
there. A sentence beside another statement of its document is no entailment either.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from pydantic import BaseModel, ConfigDict

from agent.gate.entailment.base import premise
from training.entailment.config import EntailmentConfig
from training.entailment.sentences import LabelledSentence
from training.errors import TrainingDataError

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
#: More words in the place of more words are another wording and no change of a detail.
_MOST_REPLACED = 4


class Pair(BaseModel):
    """A sentence, what is read beside it, and whether that says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentence: str
    premise: str
    entailed: bool


def premise_of(one: LabelledSentence) -> str:
    """What is read beside a sentence."""
    return premise(one.title, one.before, one.statement)


def training_pairs(
    sentences: Sequence[LabelledSentence], config: EntailmentConfig
) -> tuple[tuple[Pair, ...], dict[str, int]]:
    """The pairs of the part `train`, and how many of what.

    Args:
        sentences: four a statement, as `labelled` gives them.

    Raises:
        TrainingDataError: there are none.
    """
    drawn = random.Random(config.seed)  # noqa: S311 - a draw to repeat, not a secret
    taught = [one for one in sentences if one.part == "train"]
    if not taught:
        raise TrainingDataError(
            "No statement that sentences were written about is in the library: add the corpora with "
            "`clinsearch corpus add`."
        )
    others: defaultdict[str, set[str]] = defaultdict(set)
    for one in taught:
        others[one.title].add(premise_of(one))
    pairs: list[Pair] = []
    counts: Counter[str] = Counter()

    def add(why: str, sentence: str, beside: str, *, entailed: bool) -> None:
        pairs.append(Pair(sentence=sentence, premise=beside, entailed=entailed))
        counts[why] += 1

    for at in range(0, len(taught), 4):
        close, other, wrong_close, wrong_other = taught[at : at + 4]
        beside = premise_of(close)
        for one in (close, other, wrong_close, wrong_other):
            add("written, faithful" if one.faithful else "written, wrong", one.sentence, beside, entailed=one.faithful)
        if drawn.random() < config.verbatim_share:
            add("the statement itself", close.statement, beside, entailed=True)
        for faithful in (close, other):
            changed = list(_changed(faithful.sentence, close.statement, wrong_close.sentence))
            if changed:
                add("a wrong one's change put into a faithful one", drawn.choice(changed), beside, entailed=False)
            if drawn.random() < config.number_share and (altered := _other_number(faithful.sentence, drawn)):
                add("another number put into a faithful one", altered, beside, entailed=False)
            elsewhere = sorted(others[close.title] - {beside})
            if elsewhere and drawn.random() < config.elsewhere_share:
                add("beside another statement", faithful.sentence, drawn.choice(elsewhere), entailed=False)
    return tuple(pairs), dict(counts)


def _changed(sentence: str, statement: str, wrong: str) -> Iterator[str]:
    """The sentence with each change that makes the wrong one of the statement, where what is changed stands in it."""
    there, here = statement.split(), wrong.split()
    for code, a, b, c, d in SequenceMatcher(None, there, here, autojunk=False).get_opcodes():
        if code != "replace" or max(b - a, d - c) > _MOST_REPLACED:
            continue
        old, new = (" ".join(words).strip(".,;:()") for words in (there[a:b], here[c:d]))
        if len(old) < 3 or not new or new.lower() in sentence.lower():
            continue
        found = re.search(rf"(?<!\w){re.escape(old)}(?!\w)", sentence, re.IGNORECASE)
        if found:
            yield sentence[: found.start()] + new + sentence[found.end() :]


def _other_number(sentence: str, drawn: random.Random) -> str | None:
    numbers = list(_NUMBER.finditer(sentence))
    if not numbers:
        return None
    found = drawn.choice(numbers)
    value = float(found.group().replace(",", ""))
    other = drawn.choice([value * 2, value / 2, value * 10, value + 1, value + 5])
    return sentence[: found.start()] + f"{other:g}" + sentence[found.end() :]
