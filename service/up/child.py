"""One child process in a process group of its own, so that it and all it started can be ended together."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

#: Seconds between looks at a child; nothing here is in a hurry.
_LOOK_S = 0.1


class Child:
    """A running program. `log` None lets it write to the terminal."""

    def __init__(self, name: str, argv: tuple[str, ...], log: Path | None) -> None:
        self.name = name
        self.log = log
        if log is None:
            self._process = self._start(argv, None)
        else:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as output:
                self._process = self._start(argv, output.fileno())

    @staticmethod
    def _start(argv: tuple[str, ...], output: int | None) -> subprocess.Popen[bytes]:
        # Fixed programs from the plan, no shell. A session of its own also keeps the terminal's Ctrl-C from
        # reaching the child: the supervisor ends children in order.
        return subprocess.Popen(  # noqa: S603
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    async def wait(self) -> int:
        """Its exit code, negative for a signal."""
        while True:
            code = self._process.poll()
            if code is not None:
                return code
            await asyncio.sleep(_LOOK_S)

    async def stop(self, grace_s: float) -> None:
        """Ask it to end, make it end after `grace_s` seconds, and sweep up whatever it left behind."""
        self.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.wait()
        self.kill()
        await self.wait()

    def kill(self) -> None:
        """End it and all it started at once."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; a group that is gone is fine."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return
