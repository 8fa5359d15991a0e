"""The rerank stage that settings ask for, ready to be given to a searcher."""

from __future__ import annotations

from retrieval import CrossEncoderReranker, RerankerError, RerankSettings, RerankStage
from retrieval.reranking import PACKAGED_ADAPTER
from service.settings import Settings


def rerank_settings(settings: Settings, reranker: CrossEncoderReranker) -> RerankSettings:
    """Candidates, deadline and sources of the deployment, with what the adapter's card gives."""
    return RerankSettings(
        candidates=settings.rerank_candidates,
        deadline_ms=settings.rerank_deadline_ms,
        weight=reranker.card.weight,
        none_score=reranker.card.none_score,
        sources=settings.rerank_sources,
    )


def make_reranker(settings: Settings) -> CrossEncoderReranker:
    """The reranker with the adapter named in settings, or the one that ships.

    Raises:
        RerankerError: the adapter or its base is not there.
    """
    return CrossEncoderReranker(settings.rerank_adapter or PACKAGED_ADAPTER)


def make_rerank_stage(settings: Settings) -> RerankStage | None:
    """The stage, or None where it is off: by setting, or with "auto" because it would not help or is not installed.

    With the encoder that has no weights "auto" loads none either: whether the stage helps was measured with a real one.

    Its model is being loaded when this returns; until then searches answer in fused order.

    Raises:
        RerankerError: it is set to "on" and cannot be had.
    """
    if settings.rerank == "off" or (settings.rerank == "auto" and settings.encoder == "hashing"):
        return None
    try:
        reranker = make_reranker(settings)
    except RerankerError:
        if settings.rerank == "on":
            raise
        return None
    if settings.rerank == "auto" and not reranker.card.helps:
        return None
    stage = RerankStage(reranker, rerank_settings(settings, reranker))
    stage.warm()
    return stage
