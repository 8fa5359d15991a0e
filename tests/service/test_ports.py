"""Finding out whether a port can be listened on."""

from __future__ import annotations

import socket

from service.ports import port_is_free


def test_a_port_is_free_until_someone_listens() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not port_is_free("127.0.0.1", port)
    assert port_is_free("127.0.0.1", port)


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    assert not port_is_free("192.0.2.1", 8000)
