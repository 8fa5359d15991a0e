"""`python -m agent.misbehaving [--port N]` serves; `--list` prints the table."""

from __future__ import annotations

import argparse
import asyncio
import sys

from agent.misbehaving.server import HOST, MisbehavingServer
from agent.misbehaving.table import BEHAVIOURS


async def _serve(port: int) -> None:
    bound = await MisbehavingServer().start(port)
    print(f"http://{HOST}:{bound}", flush=True)  # noqa: T201 - who started it reads the address here
    # Ends with whoever started it, so that nothing is left behind.
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve on loopback until standard input ends, or list the behaviours."""
    parser = argparse.ArgumentParser(prog="python -m agent.misbehaving", description="A model server that misbehaves.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the address is printed")
    parser.add_argument("--list", action="store_true", help="print the behaviours and end")
    chosen = parser.parse_args()
    if chosen.list:
        for behaviour in BEHAVIOURS.values():
            for kind, ending in behaviour.endings.items():
                codes = ", ".join(ending.codes) or "-"
                print(f"{behaviour.name}\t{kind}\t{ending.stop}\t{ending.kind}\t{codes}\t{behaviour.does}")  # noqa: T201
        return
    asyncio.run(_serve(chosen.port))


if __name__ == "__main__":
    main()
