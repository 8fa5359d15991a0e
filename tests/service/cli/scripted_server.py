"""A model server on loopback that is a script: OpenAI-compatible, no weights."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from agent.client import CompletionRequest, Message
from agent.scripted import ByTurn


class ScriptedHandler(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that searches once, answers, and copies the first passage."""

    protocol_version = "HTTP/1.1"
    #: Model names that were asked for; a test clears it.
    asked: ClassVar[list[str]] = []
    #: Model names that are listed.
    served: tuple[str, ...] = ()
    #: What it says.
    script: Callable[[CompletionRequest], str] = staticmethod(ByTurn())
    #: Before each reply, seconds; a test puts it back.
    delay_s: ClassVar[float] = 0.0
    #: Every so many calls one is refused (0: none); a test puts it back.
    refuse_every: ClassVar[int] = 0

    def do_GET(self) -> None:
        names = [{"id": name, "object": "model"} for name in self.served]
        self._send("application/json", json.dumps({"object": "list", "data": names}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body["model"])
        time.sleep(self.delay_s)
        if self.refuse_every and len(self.asked) % self.refuse_every == 0:
            self.send_error(400)
            return
        schema: dict[str, object] | None = {} if "response_format" in body else None
        messages = tuple(Message(role=m["role"], content=m["content"]) for m in body["messages"])
        text = self.script(CompletionRequest(messages=messages, max_tokens=1, json_schema=schema))
        base = {"id": "x", "created": 0, "model": body["model"]}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if not body.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            reply = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
            self._send("application/json", json.dumps(reply))
            return
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
        chunk = json.dumps({**base, "object": "chat.completion.chunk", "choices": [choice], "usage": usage})
        self._send("text/event-stream", f"data: {chunk}\n\ndata: [DONE]\n\n")

    def _send(self, kind: str, body: str) -> None:
        data = body.encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that is killed leaves its connections as they are."""


@contextmanager
def scripted_server(*served: str, script: Callable[[CompletionRequest], str] | None = None) -> Iterator[str]:
    """The URL of a server that lists these models and says what the script says."""
    says = staticmethod(script or ByTurn())
    handler = type("Handler", (ScriptedHandler,), {"served": served, "script": says})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
