"""The query adapter that settings ask for, ready to be given to a searcher."""

from __future__ import annotations

from retrieval import AdaptedQueries, EncoderError, MiniLmQueryEncoder
from retrieval.query_adapter import PACKAGED_QUERY_ADAPTER
from service.settings import Settings


def make_query_encoder(settings: Settings) -> MiniLmQueryEncoder:
    """The encoder with the adapter named in settings, or the one that ships.

    Raises:
        EncoderError: the adapter or its base is not there.
    """
    return MiniLmQueryEncoder(settings.query_adapter or PACKAGED_QUERY_ADAPTER)


def make_adapted_queries(settings: Settings) -> AdaptedQueries | None:
    """The adapter for the sources it is for, or None where it is off.

    It belongs to one encoder's vectors, so with any other encoder than MiniLM "auto" leaves it out.

    Raises:
        EncoderError: it is set to "on" and cannot be had, or the encoder is another.
    """
    if settings.adapted_queries == "off" or (settings.adapted_queries == "auto" and settings.encoder != "minilm"):
        return None
    if settings.encoder != "minilm":
        raise EncoderError("CLINSEARCH_ADAPTED_QUERIES=on needs the encoder minilm: unset it, or set it to auto.")
    try:
        encoder = make_query_encoder(settings)
    except EncoderError:
        if settings.adapted_queries == "on":
            raise
        return None
    if settings.adapted_queries == "auto" and not encoder.card.helps:
        return None
    return AdaptedQueries(encoder, settings.adapted_query_sources)
