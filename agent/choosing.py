"""Which hits of a search become evidence: recommendations before the text around them, and nothing off the subject.

A guideline's discussion often shares more words with a question than its recommendation does, and only the
recommendation has a grade. So the recommendations of the guidelines that were found come first, in the order of the
search, then what else stood at its top. Guidelines are found by what passes the floor at the top alone: looking
deeper brings their recommendations, never another subject.
"""

from __future__ import annotations

from collections.abc import Sequence

from retrieval import Hit, PassageKind

#: Hits asked for: deep enough for the recommendations of a guideline whose discussion fills the top.
LOOKED_AT = 100


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
