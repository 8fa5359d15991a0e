"""The organisation's policy in a deployment: which file, for whom, and what callers may know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from agent import Audience, ClinicalAgent, Policy, PolicyFileError, QuestionError, load_policy
from agent.policy import DEFAULT_POLICY
from retrieval import Searcher
from service.problems import ProblemError

if TYPE_CHECKING:
    from service.settings import Settings


class PolicyInfo(BaseModel):
    """What anybody may know of the policy in force; how it finds what it refuses is not told."""

    model_config = ConfigDict(frozen=True)

    version: str
    #: Of the file; the same as in the record of every run.
    sha256: str
    organisation: str
    scope: str
    #: Whom this deployment answers, and whom else a request may name.
    audience: Audience
    other_audiences: tuple[Audience, ...]
    #: Sources that are searched, as GET /v1/sources gives them.
    sources: tuple[str, ...]
    #: Regions that are searched; empty: all.
    regions: tuple[str, ...]
    disclaimers: tuple[str, ...]

    @classmethod
    def of(cls, agent: ClinicalAgent) -> PolicyInfo:
        """What is told of an agent's policy."""
        policy, audience = agent.policy, agent.audience
        narrower = (one for one in Audience if one is not audience and audience.covers(one))
        return cls(
            version=policy.version,
            sha256=policy.sha256,
            organisation=policy.organisation,
            scope=policy.scope,
            audience=audience,
            other_audiences=tuple(narrower) if policy.audience_per_request else (),
            sources=tuple(source.id for source in agent.searcher.sources),
            regions=policy.terms(audience).regions,
            disclaimers=policy.terms(audience).disclaimers,
        )


def open_policy(settings: Settings) -> Policy:
    """The policy named in settings.

    Raises:
        PolicyFileError: it is not one, names a source that there is not, or is for a narrower audience than the
            setting; the message says what to do.
    """
    policy = load_policy(settings.policy or DEFAULT_POLICY)
    check_sources(policy, settings)
    if settings.audience is not None and not policy.audience.covers(settings.audience):
        raise PolicyFileError(
            f"CLINSEARCH_AUDIENCE is {settings.audience}, and the policy is for the {policy.audience}: a setting may "
            "narrow the audience, only the policy may widen it."
        )
    return policy


def check_sources(policy: Policy, settings: Settings) -> None:
    """Refuse a policy that limits an audience to what is no source: it would find nothing. Raises PolicyFileError."""
    known = {source.id for source in settings.all_sources}
    if unknown := sorted(policy.named_sources - known):
        raise PolicyFileError(
            f"The policy names the source {unknown[0]}, which there is not. Sources: {', '.join(sorted(known))}."
        )


def audience_in(settings: Settings, policy: Policy) -> Audience:
    """Whom a deployment answers."""
    return settings.audience or policy.audience


def audience_wanted(agent: ClinicalAgent, audience: Audience | None) -> Audience:
    """Whom a request is answered for. Raises ProblemError where the deployment does not answer that audience."""
    try:
        return agent.audience_of(audience)
    except QuestionError as error:
        raise ProblemError(403, error.code, str(error), param="audience") from error


def searcher_wanted(agent: ClinicalAgent, audience: Audience | None) -> Searcher:
    """What a request is searched with. Raises ProblemError as `audience_wanted`."""
    return agent.searcher_for(audience_wanted(agent, audience))
