"""What a question names and what of it the evidence holds: the plain part of knowing when there is enough.

Words are compared as stems, an abbreviation or a brand also by its other words. It says nothing of meaning: evidence
that holds every word may still not answer. What it does show, to the model and in the log, is a drug or a condition
that no passage names. Beside it stands how near the encoder finds a passage, since clinicians often ask in other words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache

from agent.caution import Signs
from agent.common_words import common_words
from retrieval import Hit
from retrieval.expansion import expansions
from retrieval.searched_text import bm25_text
from retrieval.tokens import tokenise, words

#: Words of a question that name nothing a passage would have to hold: how it is asked, not what about. Numbers (ages,
#: readings) are left out as well: a passage states ranges.
_FRAME_WORDS = frozenset(
    "about addition advice advise advised aetiology after again also am amount any anything apart approach "  # noqa: SIM905
    "appropriate approve article articles ask asked asking asks available basis been before behind being "
    "beneficial benefit besides best boy call called can't case cause caused causes chance changes check choice "
    "clinic clinical clinically clinician come common complaints confirm consider considered contraindicated "
    "contraindication contraindications cope correct course current currently daughter day days deal definitively "
    "describe description difference differences do doctor does doesn't doing don't done dosage dose dosed doses "
    "dosing drug drugs due duration effective else etiology evaluate evaluation evidence expect explain features "
    "female finally first follow frequency frequently get getting girl give given giving go good got guidance "
    "guideline guidelines guy had handle handout happen happens has have having he help helpful her here him his "
    "hour hours husband i'm i've idea indicate indicated indication indications information instead interval "
    "involved isn't it's just kg kid know lady language latest lay leaflet least length let like line literature "
    "long look main make male man manage managed management many may mcg me mean measures medication medicine men "
    "merit merits method mg ml mom month months more most mother much must my need needed needs next no non not "
    "notice now obvious off offer offered often old one only option options order origin other ought our out over "
    "pass patient patients people people's per person place plain please plus point position possible prescribe "
    "prescribed prescribing present presentation presents proper pt put question questions range recent recommend "
    "recommendation recommendations recommended reference references regard regarding regimen related right role "
    "routine routinely rule rules run safe safely said say says second see seeing seem seems seen she show "
    "significance some someone someone's son specific start started starting step still stop stopped strength "
    "studies study suggest suggested support supported supposed sure take taken tell term terms therapy there "
    "there's thing think thinking time today tomorrow too treat treated treating treatment treats try two typical "
    "typically under unsafe up use used useful useless using usual usually versus want wants was way we we'll "
    "week weeks well were what's whether who whom why wife wish with woman women wonder wondering words work "
    "workup worth worthwhile write wrong year years yes yesterday yet".split()
)


_LEAST_TO_MISTYPE = 6


class Match(StrEnum):
    """How many of the question's words a passage holds."""

    ALL = "all"
    MOST = "most"
    SOME = "some"
    FEW = "few"


class Nearness(StrEnum):
    """How near a passage is in meaning to what was searched for, by the encoder; words need not be shared."""

    CLOSE = "close"
    NEAR = "near"
    LOOSE = "loose"
    FAR = "far"


#: Least cosine of each step but the last: about the quartiles of the best passage of real training questions.
_LEAST_COSINE = {Nearness.CLOSE: 0.65, Nearness.NEAR: 0.57, Nearness.LOOSE: 0.49}


def signs_of(question: str, hits: Sequence[Hit], evidence: Sequence[Hit]) -> Signs | None:
    """The signs of one search: of all it found, and of what became evidence, the likeliest first.

    None where nothing did, or where the encoder's cosines are not known.
    """
    cosines = [hit.cosine for hit in hits if hit.cosine is not None and hit.relevance is not None]
    if not evidence or not cosines:
        return None
    margins = [hit.rerank_margin for hit in evidence if hit.rerank_margin is not None]
    nearest = max(cosines)
    predicted = [hit.predicted_cosine for hit in hits if hit.predicted_cosine is not None]
    return Signs(
        nearest=nearest,
        first=AskedWords(question).share_held(evidence[0]),
        margin=max(margins, default=None),
        predicted=max(predicted) - nearest if predicted else 0.0,
    )


def nearness(hit: Hit) -> Nearness | None:
    """The step of a passage; None where the encoder is one whose cosines are not known (`retrieval.relevance`)."""
    if hit.relevance is None or hit.cosine is None:
        return None
    return next((step for step, least in _LEAST_COSINE.items() if hit.cosine >= least), Nearness.FAR)


def nearest(hits: Iterable[Hit]) -> Nearness | None:
    """The best step of several passages; None where none has one."""
    found = {nearness(hit) for hit in hits}
    return next((step for step in Nearness if step in found), None)


@cache
def _naming_nothing() -> frozenset[str]:
    """Words of asking and of everyday language: whatever a question says with them, no passage has to hold them."""
    return _FRAME_WORDS | common_words()


class AskedWords:
    """The words of one question that name something."""

    def __init__(self, question: str) -> None:
        self._words: dict[str, str] = {}
        for word in words(question):
            stems = tokenise(word)
            if stems and word not in _naming_nothing() and len(word) > 1 and not word[0].isdigit():
                self._words.setdefault(stems[0], word)
        #: Other words for some of the words: (stems of those, stems of the other words).
        self._others = [
            (frozenset(tokenise(question[item.start : item.end])), frozenset(tokenise(item.words)))
            for item in expansions(question)
        ]

    def __len__(self) -> int:
        return len(self._words)

    def match(self, hit: Hit) -> Match:
        """How much of the question one passage holds."""
        share = self.share_held(hit)
        if share == 1:
            return Match.ALL
        return Match.MOST if share >= 2 / 3 else Match.SOME if share >= 1 / 3 else Match.FEW

    def share_held(self, hit: Hit) -> float:
        """The share of the question's words that one passage holds, 0 .. 1; 0 where the question names nothing."""
        return len(self._held(_stems(hit))) / len(self._words) if self._words else 0.0

    def missing(self, hits: Sequence[Hit]) -> tuple[str, ...]:
        """The question's words that no passage holds, in its order, as they were typed."""
        held = set[str]().union(*(self._held(_stems(hit)) for hit in hits))
        return tuple(word for stem, word in self._words.items() if stem not in held)

    def _held(self, stems: frozenset[str]) -> set[str]:
        held = {stem for stem in self._words if stem in stems or _mistyped(stem, stems)}
        for meant, others in self._others:
            if others <= stems:
                held |= meant & self._words.keys()
        return held


def _mistyped(stem: str, stems: frozenset[str]) -> bool:
    """Whether a long stem is one of `stems` with two neighbouring letters the wrong way round ("juveinle").

    Nothing looser: names of drugs differ by a letter, hardly ever by the order of two.
    """
    if len(stem) < _LEAST_TO_MISTYPE:
        return False
    swapped = (stem[:at] + stem[at + 1] + stem[at] + stem[at + 2 :] for at in range(len(stem) - 1))
    return any(other in stems for other in swapped)


def _stems(hit: Hit) -> frozenset[str]:
    text = "\n".join((bm25_text(hit.passage, hit.document), *hit.passage.contraindications))
    return frozenset(tokenise(text))
