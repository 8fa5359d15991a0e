"""A small program that stands in for the API, the model server or a step, so that supervision is tested for real.

    python part.py step CODE            writes a line and ends
    python part.py serve PORT PIDS [--stubborn] [--no-token-ids] [--fails]

While serving it starts a child of its own, writes both process ids to PIDS, and answers every GET and POST.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._reply({"status": "ready"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        ids = None if "--no-token-ids" in sys.argv else [1, 2]
        self._reply({"choices": [{"token_ids": ids}], "prompt_token_ids": ids})

    def _reply(self, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        return


def main() -> None:
    if sys.argv[1] == "step":
        sys.stderr.write("step ran\n")
        sys.exit(int(sys.argv[2]))
    if "--stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with Path(sys.argv[3]).open("a") as pids:
        pids.write(f"{os.getpid()} {helper.pid}\n")
    if "--fails" in sys.argv:
        sys.exit(3)
    HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()


if __name__ == "__main__":
    main()
