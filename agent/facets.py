"""What of a condition is asked, and what of it a passage under a question-like heading tells.

Pages for patients have one heading for each side of a disease ("What causes it?", "Is it inherited?"), and all of their
passages name the disease. The words of a question that tell these sides apart are common ones, so a search ranks
passages of the right disease and the wrong side as high. Only headings that are questions are read so: a guideline's
are the names of its parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from agent.sufficiency import AskedWords, Match
from retrieval import Hit


class Facet(StrEnum):
    """A side of a condition."""

    SYMPTOMS = "symptoms"
    CAUSES = "causes"
    TREATMENT = "treatment"
    OUTLOOK = "outlook"
    INHERITANCE = "inheritance"
    GENES = "genes"
    FREQUENCY = "frequency"
    DIAGNOSIS = "diagnosis"
    PREVENTION = "prevention"
    COMPLICATIONS = "complications"
    RISK = "risk"
    MEANING = "meaning"


#: In this order: a question on treatment that begins "What is" is not on the meaning.
_WORDS = {
    Facet.GENES: r"genes?\b|genetic (?:change|basis|cause|mutation)\w*|mutations?|chromosom\w*",
    Facet.INHERITANCE: r"inherit\w*|heredit\w*|familial|famil(?:y|ies)|runs? in|hand(?:ed)? down|pass(?:ed)? on",
    Facet.FREQUENCY: r"how (?:common|rare|many|often does|frequent)|prevalence|incidence|frequency|how often .* occur",
    Facet.SYMPTOMS: r"symptoms?|signs?\b|present(?:s|ation|ing)?\b|manifest\w*|features?|complaints?|look like|notice",
    Facet.OUTLOOK: r"outlook|prognosis|survival|life expectancy|long[- ]term|natural history|how do .* do over",
    Facet.DIAGNOSIS: r"diagnos\w*|tests?\b|exams?\b|how (?:can|do) \w+ (?:tell|confirm)|detect\w*|confirm\w*",
    Facet.PREVENTION: r"prevent\w*|avoid getting",
    Facet.COMPLICATIONS: r"complications?|problems? (?:can|may) .*cause",
    Facet.RISK: r"at risk|risk factors?|susceptib\w*|more likely to",
    Facet.TREATMENT: r"treat\w*|therap\w*|manag\w*|cure\b|medicines?|medications?|drugs?",
    Facet.CAUSES: r"causes?\b|caused|a?etiology|origins?|leads? to|why do|behind",
    Facet.MEANING: r"what(?:'s| is| are| \(are\))|explain|describe|description|definition|mean\b|tell a patient",
}
_PATTERNS = {facet: re.compile(rf"\b(?:{words})", re.IGNORECASE) for facet, words in _WORDS.items()}


def facet_of(text: str) -> Facet | None:
    """The side that a question, or a heading that is one, asks of; None where it names none."""
    return next((facet for facet, pattern in _PATTERNS.items() if pattern.search(text)), None)


def right_side_first(hits: Sequence[Hit], question: str, count: int) -> tuple[Hit, ...]:
    """The hits, those before the others that tell what was asked under a heading that asks it too.

    Only what holds as much of the question as the best of the first `count` moves, so that another disease never does.
    """
    wanted = facet_of(question)
    if wanted is None or not any(_heading(hit) for hit in hits[:count]):
        return tuple(hits)
    asked, order = AskedWords(question), list(Match)
    best = min(order.index(asked.match(hit)) for hit in hits[:count])
    moved = [hit for hit in hits if facet_of(_heading(hit)) is wanted and order.index(asked.match(hit)) <= best]
    ids = {hit.passage.id for hit in moved}
    return (*moved, *(hit for hit in hits if hit.passage.id not in ids))


def tells_right_side(hit: Hit, question: str) -> bool:
    """Whether a passage stands under a heading that asks for the side that the question asks for."""
    wanted = facet_of(question)
    return wanted is not None and facet_of(_heading(hit)) is wanted


def _heading(hit: Hit) -> str:
    """The question that a passage stands under; empty where its heading is none."""
    section = hit.passage.section
    last = section[-1].strip() if len(section) > 1 else ""
    return last if last.endswith("?") else ""
