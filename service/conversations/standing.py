"""Old answers as they may be shown now: what was withdrawn since is gone, the rest says how it stands today."""

from __future__ import annotations

from agent import Answer, Citation
from retrieval import HomeRegion, Searcher

WITHDRAWN_SINCE = "Guidance that this answer showed was withdrawn since and is not shown any more. Ask again."
NOT_SEARCHED = "No longer among the guidelines searched."
#: What a citation says of its standing, which may have changed since it was shown.
_STANDING = ("status", "superseded_by", "from_elsewhere", "labels")


def as_it_stands(answer: Answer, searcher: Searcher, home_region: HomeRegion | None = None) -> Answer:
    """A stored answer as it may be shown now; `home_region` as in a search.

    Raises:
        RetrievalError: whether something is withdrawn cannot be looked up.
    """
    gone = {citation.number for citation in answer.citations if searcher.withdrawal(citation.passage_id) is not None}
    standing = answer.without(gone, WITHDRAWN_SINCE) if gone else answer
    return standing.model_copy(
        update={"citations": tuple(_relabelled(citation, searcher, home_region) for citation in standing.citations)}
    )


def _relabelled(citation: Citation, searcher: Searcher, home_region: HomeRegion | None) -> Citation:
    hit = searcher.hit(citation.passage_id, home_region)
    if hit is None:
        headlines = (conflict.headline for conflict in citation.conflicts)
        return citation.model_copy(update={"labels": (*headlines, NOT_SEARCHED)})
    now = Citation.of(citation.number, hit, citation.conflicts)
    return citation.model_copy(update={name: getattr(now, name) for name in _STANDING})
