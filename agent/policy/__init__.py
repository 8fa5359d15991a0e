"""The organisation's policy: one versioned file says who a deployment answers, what it searches for them, what it does
not take on and what it always says. Checked before any model call, and never part of a model's prompt.
"""

from agent.policy.audience import Audience
from agent.policy.document import AudienceTerms, ExampleGroup, Policy
from agent.policy.examples import ExampleOutcome, run_examples
from agent.policy.loading import DEFAULT_POLICY, load_policy, read_examples
from agent.policy.rules import Judged, Outcome, PolicyRule

__all__ = [
    "DEFAULT_POLICY",
    "Audience",
    "AudienceTerms",
    "ExampleGroup",
    "ExampleOutcome",
    "Judged",
    "Outcome",
    "Policy",
    "PolicyRule",
    "load_policy",
    "read_examples",
    "run_examples",
]
