"""A proxy between browser and service whose connections can be cut, as a train's Wi-Fi cuts them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Proxy:
    """Passes bytes between whoever connects and one address."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        self._to = (where.hostname or "", where.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._refusing = False
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Break every connection and let none through until `mend`."""
        with self._lock:
            self._refusing = True
            for pair in self._pairs:
                _shut(*pair)

    def mend(self) -> None:
        """Let connections through again."""
        self._refusing = False

    def close(self) -> None:
        self.cut()
        _shut(self._listener)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with self._lock:
                    if self._refusing:
                        client.close()
                        continue
                    pair = (client, socket.create_connection(self._to))
                    self._pairs.add(pair)
                self._start(self._carry, pair)

    def _carry(self, pair: tuple[socket.socket, socket.socket]) -> None:
        client, server = pair
        back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
        back.start()
        _pass_on(client, server)
        back.join()
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            end.close()


def _pass_on(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while data := here.recv(65536):
            there.sendall(data)
    _shut(here, there)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(address: str) -> Iterator[Proxy]:
    """A proxy before this address."""
    proxy = Proxy(address)
    try:
        yield proxy
    finally:
        proxy.close()
