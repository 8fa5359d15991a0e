"""Which hits of a search become evidence, and in which order: nothing off the subject.

Where a reranker put them in order, that order stands, but that a discussion brings the recommendation that it discusses
along. Else recommendations come before the text around them: a guideline's discussion often shares more words with a
question than its recommendation does, and only the recommendation has a grade. So the recommendations of the guidelines
that were found come first, in the order of the search, then what else stood at its top. Guidelines are found by what
passes the floor at the top alone: looking deeper brings their recommendations, never another subject.

Those few are then put in order again, by three signs at once: their place in the search, how near they are in meaning,
and how many of the question's words they hold. Each alone is wrong about other questions: words about those that
clinicians ask in words of their own, nearness about two drugs for one disease.

Either way, where the dose of one drug is asked for, what states it comes before other drugs' doses
(`agent.asked_dose`), and where a recommendation is not for the patient, its counterpart of the same guideline stands
before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.asked_dose import right_drug_first
from agent.facets import right_side_first, tells_right_side
from agent.sufficiency import AskedWords, Match
from retrieval import DocumentId, Hit, Passage, PassageId, PassageKind, SearchResult
from retrieval.tokens import tokenise

#: Hits asked for: deep enough for the recommendations of a guideline whose discussion fills the top.
LOOKED_AT = 100


def _anybody(_: Passage) -> bool:
    return True


def evidence_of(
    result: SearchResult, question: str, count: int, *, fits: Callable[[Passage], bool] = _anybody
) -> tuple[Hit, ...]:
    """At most `count` hits of a search that become evidence, those that most likely answer the question first.

    A reranker has read question and passage together, recommendations among the rest, and knows more than the signs
    below: where it had its say, its order stands, but for what `with_recommendations` and `with_fitting` put in.
    `fits` tells whether a passage is for the patient.
    """
    if result.reranked:
        near: Sequence[Hit] = [hit for hit in result.hits if not hit.below_floor]
        top = with_recommendations(near, count)
    else:
        near = right_side_first(result.hits, question, count)
        top = likeliest_first(chosen_hits(near, count), question)
    chosen = with_fitting(right_drug_first(top, question), near, count, fits)
    return tuple(hit.model_copy(update={"rank": rank}) for rank, hit in enumerate(chosen, start=1))


def with_fitting(
    chosen: Sequence[Hit], hits: Sequence[Hit], count: int, fits: Callable[[Passage], bool]
) -> tuple[Hit, ...]:
    """The chosen hits, before a guideline's first recommendation that is not for the patient its counterpart that is.

    A guideline's dose for adults is often nearer to the question's words than its dose for children. The counterpart is
    the recommendation of the same guideline that says it most alike. Where it stands further down among the chosen it
    moves up; where it comes from `hits` the last gives way (docs/adr/0030).
    """
    kept: dict[PassageId, Hit] = {}
    seen: set[DocumentId] = set()
    for hit in chosen:
        guideline = hit.document.id
        if hit.passage.kind is PassageKind.RECOMMENDATION and guideline not in seen and not fits(hit.passage):
            seen.add(guideline)
            others = [
                other
                for other in (*chosen, *hits)
                if other.document.id == guideline
                and other.passage.kind is PassageKind.RECOMMENDATION
                and other.passage.id not in kept
                and fits(other.passage)
            ]
            if others:
                counterpart = max(others, key=lambda other: alike(hit.passage, other.passage))
                kept[counterpart.passage.id] = counterpart
        kept.setdefault(hit.passage.id, hit)
    return tuple(kept.values())[:count]


def alike(one: Passage, other: Passage) -> float:
    """The share of words that two passages have in common, 0 .. 1 (Jaccard)."""
    first, second = set(tokenise(one.text)), set(tokenise(other.text))
    return len(first & second) / max(len(first | second), 1)


def with_recommendations(hits: Sequence[Hit], count: int) -> tuple[Hit, ...]:
    """The first `count` hits, behind the first text of a guideline its best recommendation, where none was among them.

    What a guideline says around a recommendation often answers more nearly in words, and only the recommendation has
    a grade. The last of the first give way, the order stays (docs/adr/0013).
    """
    graded = {hit.document.id for hit in hits[:count] if hit.passage.kind is PassageKind.RECOMMENDATION}
    kept: dict[PassageId, Hit] = {}
    for hit in hits[:count]:
        kept[hit.passage.id] = hit
        if hit.document.id in graded:
            continue
        graded.add(hit.document.id)
        of_it = (other for other in hits[count:] if other.document.id == hit.document.id)
        best = next((other for other in of_it if other.passage.kind is PassageKind.RECOMMENDATION), None)
        if best is not None:
            kept[best.passage.id] = best
    return tuple(kept.values())[:count]


def chosen_hits(hits: Sequence[Hit], count: int) -> tuple[Hit, ...]:
    """At most `count` hits, ranked anew from 1; `hits` are a search's, best first.

    The last place is kept for the best hit of any kind.
    """
    top = [hit for hit in hits[:count] if not hit.below_floor]
    found = {hit.document.id for hit in top}
    kept = [hit for hit in hits if hit.passage.kind is PassageKind.RECOMMENDATION and hit.document.id in found][
        : max(count - 1, 1)
    ]
    held = {hit.passage.id for hit in kept}
    kept += [hit for hit in top if hit.passage.id not in held][: count - len(kept)]
    return tuple(hit.model_copy(update={"rank": rank}) for rank, hit in enumerate(kept, start=1))


#: As in reciprocal rank fusion, small because few hits are ordered; the weights were chosen on training questions.
_FUSION_K = 3
_WORDS_WEIGHT = 2.0
#: For standing under a heading that asks what the question asks: decides between neighbours, no more.
_RIGHT_SIDE = 0.1


def likeliest_first(hits: Sequence[Hit], question: str) -> tuple[Hit, ...]:
    """The same hits, those that most likely answer the question first, ranked anew from 1.

    By the sum of reciprocal places in the order given, by cosine, and by the share of the question's words held.
    """
    asked, steps = AskedWords(question), list(Match)
    by_cosine = sorted(hits, key=lambda hit: -(hit.cosine if hit.cosine is not None else -1.0))
    near = {hit.passage.id: place for place, hit in enumerate(by_cosine)}

    def likelihood(place: int, hit: Hit) -> float:
        return (
            1 / (_FUSION_K + place)
            + 1 / (_FUSION_K + near[hit.passage.id])
            + _WORDS_WEIGHT / (_FUSION_K + 2 * steps.index(asked.match(hit)))
            + _RIGHT_SIDE * tells_right_side(hit, question)
        )

    ordered = sorted(enumerate(hits), key=lambda item: -likelihood(*item))
    return tuple(hit.model_copy(update={"rank": rank}) for rank, (_, hit) in enumerate(ordered, start=1))
