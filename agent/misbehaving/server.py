"""A model server in a process of its own that misbehaves in the way its address says.

`http://127.0.0.1:PORT/BEHAVIOUR/CALL/RUN/v1` is the base URL of an OpenAI-compatible server that spoils one kind of
call (`decide`, `answer`, `tokenize`, `models`) as the behaviour says and serves the others well. RUN is any word; what
was asked under it is told at `/heard/RUN`. It listens on loopback only, and speaks HTTP by hand, since what it says is
often none.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator

from agent.misbehaving.behaviour import Call, CallKind, ResetError
from agent.misbehaving.messages import well, whole
from agent.misbehaving.table import BEHAVIOURS

HOST = "127.0.0.1"
ELSEWHERE = "heard-elsewhere"
#: A request of this project is much smaller.
_MAX_REQUEST_BYTES = 8 * 2**20
#: Runs that are remembered.
_MOST_RUNS = 4096
#: Longest one reply may take; behaviours that never end are ended by it where nobody hangs up, seconds.
_PATIENCE_S = 60.0
#: On closing: reset the connection instead of ending it in good order.
_LINGER_RESET = struct.pack("ii", 1, 0)


class MisbehavingServer:
    """Serves until cancelled."""

    def __init__(self) -> None:
        self._heard: OrderedDict[str, Counter[str]] = OrderedDict()
        self._busy: set[asyncio.Task[None]] = set()
        self._port = 0

    async def start(self, port: int = 0) -> int:
        """Listen; returns the port (0 takes a free one)."""
        listener = await asyncio.start_server(self._accept, HOST, port, limit=_MAX_REQUEST_BYTES)
        self._port = int(listener.sockets[0].getsockname()[1])
        return self._port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                target, headers, body = await read_request(reader)
                async for data in self._respond(target, headers, body):
                    writer.write(data)
                    await writer.drain()
        except ResetError:
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
            writer.transport.abort()
        except (TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # the client hung up, or sent no request: nobody is there to be told
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _respond(self, target: str, headers: dict[str, str], body: dict[str, object]) -> AsyncIterator[bytes]:
        parts = target.strip("/").split("/")
        if parts[0] == "heard":
            return _once(whole(json.dumps(self._of(parts[-1]))))
        if parts[0] == ELSEWHERE:
            self._of(parts[-1])["elsewhere"] += 1
            return _once(whole("{}"))
        name, spoiled, run, *route = parts
        kind = _kind(route, body)
        heard = self._of(run)
        turn = heard[kind]
        heard[kind] += 1
        heard["cookies"] += "cookie" in headers
        call = Call(kind, body, turn, f"http://{HOST}:{self._port}/{ELSEWHERE}/{run}")
        behaviour = BEHAVIOURS.get(name)
        if behaviour is None or kind != spoiled or (behaviour.once and turn):
            return well(call)
        return behaviour.play(call)

    def _of(self, run: str) -> Counter[str]:
        heard = self._heard.setdefault(run, Counter())
        while len(self._heard) > _MOST_RUNS:
            self._heard.popitem(last=False)
        return heard


def _kind(route: list[str], body: dict[str, object]) -> CallKind:
    if route[-1] == "models":
        return CallKind.MODELS
    if route[-1] == "tokenize":
        return CallKind.TOKENIZE
    return CallKind.ANSWER if body.get("stream") else CallKind.DECIDE


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], dict[str, object]]:
    """Target, headers and JSON body of one request. Raises ValueError, EOFError or OSError where there is none."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    if length > _MAX_REQUEST_BYTES:
        raise ValueError("the request is too large")
    body = json.loads(await reader.readexactly(length)) if length else {}
    return first.split(" ")[1], headers, body


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
