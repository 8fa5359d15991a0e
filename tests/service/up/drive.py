"""Supervises a plan read from standard input as JSON: a process of its own, so that tests can signal it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from rich.console import Console

from service.up import ConsoleScreen, Plan, supervise

if __name__ == "__main__":
    values = json.loads(sys.stdin.read())
    commands = {
        name: tuple(values.pop(name)) if values.get(name) else None for name in ("prepare", "model", "index", "api")
    }
    plan = Plan(**commands, **(values | {"logs": Path(values["logs"])}))
    sys.exit(asyncio.run(supervise(plan, ConsoleScreen(Console(file=sys.stdout, width=200)))))
