"""Host names and addresses: what is this machine alone, and what a ``Host`` header says."""

from __future__ import annotations

import ipaddress
import re

#: Both families of this machine alone, as sockets want them.
LOOPBACK_V4, LOOPBACK_V6 = "127.0.0.1", "::1"
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z", re.ASCII)


def is_address(name: str) -> bool:
    """Whether ``name`` is an IP address of either family, without brackets and zone."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return "%" not in name


def is_host(name: str) -> bool:
    """Whether ``name`` can be bound or asked: an IP address (with a zone, too) or a host name."""
    text = name.lower()
    return is_address(text.partition("%")[0]) or _NAME.match(text) is not None


def is_loopback(host: str) -> bool:
    """Whether ``host`` is reached from this machine alone: ``localhost``, 127.x.x.x or ::1."""
    name = host.strip().strip("[]").lower()
    if name == "localhost":
        return True
    return is_address(name) and ipaddress.ip_address(name).is_loopback


def host_of_header(header: str) -> str:
    """The name in a ``Host`` header (``name``, ``name:port``, ``[::1]:port``), in small letters
    and without brackets; empty for anything else: user names, bad ports, trailing dots, lists."""
    text = header.lower()
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        if not bracket or ":" not in name or not is_address(name):
            return ""
        name = str(ipaddress.ip_address(name))
        if port and not port.startswith(":"):
            return ""
        port = port[1:] if port else ""
        colon = bool(text.partition("]")[2])
    else:
        name, sign, port = text.partition(":")
        colon = bool(sign)
        if not _NAME.match(name):
            return ""
    if colon and not (_PORT.match(port) and 0 < int(port) < 65_536):
        return ""
    return name
