"""Addresses of servers: which may be spoken to in the clear."""

from __future__ import annotations

import ipaddress


def is_near(host: str) -> bool:
    """This machine, or a name that only a local network resolves (a service in compose)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "." not in host
