"""A model server on loopback that is a script: it searches, answers, and holds every answer in the middle until told.

So that as many answers are being written at once as a measurement wants, and it knows how many calls are open. It
speaks HTTP by hand, one request a connection, in the event loop of whoever measures.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from agent import CompletionRequest, Message
from agent.misbehaving.messages import EVENTS, USAGE, chunk, completion, event, finish, head, whole
from agent.misbehaving.server import read_request
from agent.scripted import ByTurn

_HOST = "127.0.0.1"
_MAX_REQUEST_BYTES = 2**22


class HeldModelServer:
    """Serves until closed; answers go on once `go` is set."""

    def __init__(self, query: str = "first-line antibiotic") -> None:
        self._script = ByTurn(query)
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()
        #: Lets every answer be written to its end.
        self.go = asyncio.Event()
        #: Answers being written whose client is still there.
        self.open_answers = 0

    async def start(self) -> str:
        """Listen on a free port; returns the base URL for a client."""
        self._server = await asyncio.start_server(self._accept, _HOST, 0, limit=_MAX_REQUEST_BYTES, backlog=4096)
        return f"http://{_HOST}:{self._server.sockets[0].getsockname()[1]}/v1"

    async def close(self) -> None:
        """Stop listening and end what is open."""
        if self._server is not None:
            self._server.close()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path, _, body = await read_request(reader)
            if path.endswith("/models"):
                listed = {"object": "list", "data": [{"id": "clinsearch", "object": "model"}]}
                writer.write(whole(json.dumps(listed)))
            elif not path.endswith("/chat/completions"):
                writer.write(whole("{}", status="404 Not Found"))
            elif body.get("stream"):
                await self._answer(self._says(body), reader, writer)
            else:
                writer.write(whole(json.dumps(completion(self._says(body)))))
            await writer.drain()
        except (OSError, EOFError, ValueError):
            pass  # the client hung up
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, text: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        half = len(text) // 2
        writer.write(head(EVENTS) + event(chunk(text[:half])))
        await writer.drain()
        self.open_answers += 1
        go = asyncio.create_task(self.go.wait())
        gone = asyncio.create_task(reader.read(1))  # a client that waits for its answer sends nothing: it hung up
        try:
            await asyncio.wait({go, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open_answers -= 1
            go.cancel()
            gone.cancel()
            await asyncio.gather(go, gone, return_exceptions=True)
        writer.write(b"".join(event(item) for item in (chunk(text[half:]), finish(), USAGE, "[DONE]")))

    def _says(self, body: dict[str, object]) -> str:
        messages = body["messages"]
        assert isinstance(messages, list)
        said = tuple(Message(role=item["role"], content=item["content"]) for item in messages)
        schema: dict[str, object] | None = {} if "response_format" in body else None
        return self._script(CompletionRequest(messages=said, max_tokens=1, json_schema=schema))
