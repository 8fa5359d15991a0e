"""Supervises a plan read from standard input as JSON: a process of its own, so that tests can signal it."""

from __future__ import annotations

import asyncio
import sys

from pydantic import TypeAdapter
from rich.console import Console

from service.up import ConsoleScreen, Plan, supervise

if __name__ == "__main__":
    plan = TypeAdapter(Plan).validate_json(sys.stdin.read())
    sys.exit(asyncio.run(supervise(plan, ConsoleScreen(Console(file=sys.stdout, width=200)))))
