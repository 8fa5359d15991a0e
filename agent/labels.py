"""What is said beside guidance that is not simply current and of the clinician's region."""

from __future__ import annotations

from retrieval import GuidanceStatus, Hit


def standing_labels(hit: Hit) -> tuple[str, ...]:
    """Sentences to show beside a passage; none where there is nothing to say."""
    labels = []
    if hit.status is GuidanceStatus.SUPERSEDED:
        labels.append(
            "Superseded: the newer version of this guideline was withdrawn, so neither is current."
            if hit.newer_withdrawn
            else "Superseded: a newer version of this guideline is in the index."
        )
    if hit.status is GuidanceStatus.EXPIRED:
        labels.append(f"Expired: its review date ({hit.document.review_by}) has passed.")
    if hit.from_elsewhere:
        labels.append("From another region.")
    return tuple(labels)


def standing_words(hit: Hit) -> str:
    """The same for the model, in the heading of its evidence; empty where there is nothing to say."""
    words = [] if hit.status is GuidanceStatus.CURRENT else [str(hit.status)]
    if hit.newer_withdrawn:
        words.append("its newer version was withdrawn")
    if hit.from_elsewhere:
        words.append(f"from another region: {hit.document.region}")
    return ", ".join(words)
