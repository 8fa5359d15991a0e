"""Questions made from the corpora: a heading asks, and what stands under it answers.

MedQuAD's headings are real questions. A heading of the Nigeria guidelines ("Investigations") becomes one by a
template that names the condition; an MMWR heading of several words is asked as it stands. NGC and USPSTF are left
out: questions on them measure the search.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from retrieval import CorpusEntry, Passage
from retrieval.tokens import STOP_WORDS
from training.reranker.config import RerankerConfig
from training.reranker.groups import Origin

_ORIGINS: dict[str, Origin] = {"medquad": "medquad", "nigeria-stg-2022": "nigeria", "mmwr": "mmwr"}
#: First parts of the document ids that are trained on.
TRAINED_CORPORA = frozenset(_ORIGINS)
# A question under these is answered by a list of links or of names, which teaches nothing about reading.
_UNHELPFUL = re.compile(r"^(?:these resources|this article|click here)", re.IGNORECASE)
_MIN_WORDS = 8

_TEMPLATES = (
    (re.compile(r"non-drug|non-pharma|supportive", re.I), ("How is {c} treated without drugs?",)),
    (re.compile(r"drug treatment|pharmacolog|dosage|medic", re.I), ("Which drugs and doses are used for {c}?",)),
    (re.compile(r"treatment goal", re.I), ("What are the goals of treatment in {c}?",)),
    (re.compile(r"treatment|management|therap", re.I), ("How should {c} be treated?", "Management of {c}")),
    (re.compile(r"investigation|diagnos(?:is|tic)|work-?up", re.I), ("Which investigations are needed in {c}?",)),
    (re.compile(r"differential", re.I), ("What are the differential diagnoses of {c}?",)),
    (re.compile(r"clinical feature|symptom|sign|presentation", re.I), ("How does {c} present?", "Features of {c}")),
    (re.compile(r"complication", re.I), ("What are the complications of {c}?",)),
    (re.compile(r"prevent|prophyl", re.I), ("How can {c} be prevented?",)),
    (
        re.compile(r"adverse|caution|side.effect|contraindic", re.I),
        ("Which cautions and adverse effects apply in {c}?",),
    ),
    (re.compile(r"referr", re.I), ("When should a patient with {c} be referred?",)),
    (re.compile(r"aetiolog|cause|risk factor|epidemiolog", re.I), ("What causes {c}?",)),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the passage that answers it and others of the same page."""

    origin: Origin
    #: The wording without the condition, to balance by.
    form: str
    question: str
    document_id: str
    title: str
    answer: Passage
    related: tuple[Passage, ...]


def corpus_questions(entries: Iterable[CorpusEntry], config: RerankerConfig) -> tuple[Asked, ...]:
    """Every question the corpora give, each origin in an order drawn from the seed."""
    drawn = random.Random(config.seed)  # noqa: S311 - a draw to repeat, not a secret
    found = [asked for entry in entries for asked in _of_entry(entry, config, drawn)]
    drawn.shuffle(found)
    return tuple(found)


def terse(question: str) -> str:
    """The question as typed in a hurry: without stop words, question mark and capitals ("treatments asthma")."""
    words = question.rstrip("?").lower().split()
    kept = [word for word in words if word.strip("(),") not in STOP_WORDS]
    return " ".join(kept) or question


def _of_entry(entry: CorpusEntry, config: RerankerConfig, drawn: random.Random) -> Iterator[Asked]:
    origin = _ORIGINS.get(entry.document.id.split("/")[0])
    if origin is None:
        return
    sections: defaultdict[tuple[str, ...], list[Passage]] = defaultdict(list)
    for passage in entry.passages:
        sections[passage.section].append(passage)
    for section, passages in sections.items():
        usable = [p for p in passages if len(p.text.split()) >= _MIN_WORDS and not _UNHELPFUL.match(p.text)]
        if len(section) < 2 or not usable:
            continue
        made = _question(origin, section, usable[0], config, drawn)
        if made is None:
            continue
        # The answer of a section begins with its first passage; a later one answers a question on details.
        answer = usable[0] if drawn.random() < 0.75 else drawn.choice(usable)
        others = tuple(p for key, own in sections.items() if key != section for p in own if p.text != answer.text)
        question, form = made
        if drawn.random() < config.terse_share:
            question = terse(question)
        yield Asked(origin, form, question, entry.document.id, section[0], answer, others)


def _question(
    origin: Origin, section: tuple[str, ...], passage: Passage, config: RerankerConfig, drawn: random.Random
) -> tuple[str, str] | None:
    condition, heading = section[0], section[-1]
    if origin == "medquad":
        question = re.sub(r"\s+\?", "?", heading)
        form = question.casefold().replace(condition.casefold(), "*")
        if passage.synonyms and drawn.random() < config.synonym_share:
            name = re.compile(re.escape(condition), re.IGNORECASE)
            question = name.sub(lambda _: drawn.choice(passage.synonyms), question)
        return question, form
    if origin == "nigeria":
        for pattern, wordings in _TEMPLATES:
            if pattern.search(heading):
                return drawn.choice(wordings).format(c=condition.lower()), pattern.pattern
        return None
    words = heading.split()
    if not 3 <= len(words) <= 20 or heading.casefold().startswith(("table", "figure", "box", "appendix")):
        return None
    return heading, f"mmwr {len(words)}"
