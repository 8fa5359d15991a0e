"""`clinsearch up`: starts everything a running product needs, keeps it running, and stops it together."""

from service.up.plan import Plan, PlanError, plan_for
from service.up.screen import ConsoleScreen, Screen
from service.up.supervisor import supervise

__all__ = ["ConsoleScreen", "Plan", "PlanError", "Screen", "plan_for", "supervise"]
