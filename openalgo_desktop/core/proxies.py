"""Which connections may use a proxy that the environment names: never those to this machine.

Standard library only, for the engine's clients and for the shell's.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

#: Environment variables that name a proxy, as every HTTP client reads them.
VARIABLES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "WSS_PROXY", "WS_PROXY")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine: ``localhost`` and its subnames, 127/8, ``::1``."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def goes_direct(url: str) -> bool:
    """Whether a request to ``url`` must not use a proxy, whatever the environment says."""
    return is_loopback(urlsplit(url).hostname or "")


def proxy_for(url: str) -> str | None:
    """The proxy that the environment or the desktop names for a WebSocket address, or None.

    One for WebSockets is preferred, then SOCKS, then those of HTTPS and, without TLS, of HTTP
    (RFC 6455, section 4.1).
    """
    parts = urlsplit(url)
    if goes_direct(url) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    named, secure = getproxies(), parts.scheme == "wss"
    schemes = (
        ("wss", "socks", "https", "all") if secure else ("ws", "socks", "https", "http", "all")
    )
    for scheme in schemes:
        if found := named.get(scheme):
            if scheme == "socks":  # the desktop's setting comes as http://
                return "socks5://" + found.partition("://")[2]
            return found if "://" in found else f"http://{found}"
    return None


def socks_proxy(environment: Mapping[str, str] | None = None) -> str:
    """The name of a variable (``ALL_PROXY``) that asks for a SOCKS proxy, or ''."""
    given = os.environ if environment is None else environment
    for name in VARIABLES:
        for key in (name, name.lower()):
            if given.get(key, "").strip().lower().startswith("socks"):
                return key
    proxies = getproxies() if environment is None else {}  # the desktop's own settings
    return next((f"proxy for {k}" for k, v in proxies.items() if v.startswith("socks")), "")


def proxy_problem(reason: str) -> str:
    """A sentence for a proxy of the environment that cannot be used."""
    name = socks_proxy()
    if name:
        return (
            f"{name} asks for a SOCKS proxy, which is not supported: name an HTTP proxy, "
            "or unset it for this program. Nothing was sent."
        )
    return f"The proxy that the environment names cannot be used: {reason} Nothing was sent."
