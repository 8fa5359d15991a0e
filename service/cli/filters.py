"""The options that narrow a search, the same for `search` and `ask`."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from agent import Audience as AudienceName
from retrieval import SearchFilters, SourceId, StrengthClass, region_code
from service.cli.common import stop

Source = Annotated[str | None, typer.Option(help="Search only this source.")]
Publishers = Annotated[
    list[str] | None, typer.Option("--publisher", help="Only guidelines of this publisher; may be repeated.")
]
Regions = Annotated[list[str] | None, typer.Option("--region", help="Only guidelines of this region; may be repeated.")]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only guidelines in this language; may be repeated.")
]
PublishedFrom = Annotated[str | None, typer.Option(help="Published on or after 2018, 2018-06 or 2018-06-30.")]
PublishedTo = Annotated[str | None, typer.Option(help="Published on or before 2018, 2018-06 or 2018-06-30.")]
Strengths = Annotated[
    list[StrengthClass] | None, typer.Option("--strength", help="Only recommendations this strong; may be repeated.")
]
IncludeSuperseded = Annotated[
    bool, typer.Option("--include-superseded", help="Also find guidance that a newer version replaces.")
]
HomeRegion = Annotated[
    str | None, typer.Option(help="Where you work (ISO 3166-1 code): its guidance comes first among equals.")
]
Audience = Annotated[
    AudienceName | None, typer.Option(help="Whom it is for, where that is narrower than this deployment.")
]


def filters_from(
    *,
    source: str | None,
    publisher: list[str] | None,
    region: list[str] | None,
    language: list[str] | None,
    published_from: str | None,
    published_to: str | None,
    strength: list[StrengthClass] | None,
    include_superseded: bool,
) -> SearchFilters:
    """The filters that the options give; a wrong one ends the command with a sentence."""
    try:
        return SearchFilters(
            source=SourceId(source) if source else None,
            publishers=tuple(publisher or ()),
            regions=tuple(region or ()),
            languages=tuple(language or ()),
            published_from=published_from,
            published_to=published_to,
            strengths=tuple(strength or ()),
            include_superseded=include_superseded,
        )
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        if where:
            raise stop(f"--{str(where[0]).replace('_', '-')} takes a date: 2018, 2018-06 or 2018-06-30.") from error
        raise stop("--published-from is after --published-to.") from error


def home_region_from(code: str | None) -> str | None:
    """The home region as requests take it."""
    if code is None:
        return None
    code = region_code(code).upper()
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise stop("--home-region takes a two-letter country code, such as GB or US.")
    return code
