"""Listening sockets and who may knock: shared by the REST and the WebSocket server."""

from __future__ import annotations

import errno
import logging
import os
import socket

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.addresses import (
    LOOPBACK_V4,
    LOOPBACK_V6,
    host_of_header,
    is_address,
    is_loopback,
)
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.local_api.http_server import web

log = logging.getLogger(__name__)

_LOOPBACK_NAMES = frozenset({LOOPBACK_V4, "localhost", LOOPBACK_V6})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})
#: Connections that wait to be accepted; also the most that one turn of the loop takes at once.
BACKLOG = 64
#: Tries to find a free port that both families have.
_TRIES = 20
_CORS_PREFLIGHT = {
    "Access-Control-Allow-Methods": "DELETE, GET, PATCH, POST, PUT",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Requested-With",
    "Access-Control-Max-Age": "86400",
}


def sender_address(request: web.BaseRequest, header: str) -> str:
    """Where a request comes from. A tunnel of this machine brings all of them from loopback and
    may name the sender in ``header`` (the last address in it: others are the sender's own words);
    what comes from elsewhere is believed no header."""
    peer = request.remote or ""
    if not header or not is_loopback(peer):
        return peer
    told = ",".join(request.headers.getall(header, ())).rpartition(",")[2].strip()
    return told if is_address(told) else peer


def bind_sockets(host: str, port: int, setting: str) -> list[socket.socket]:
    """Listening sockets on one port, or a :class:`ConfigError` that names port, setting and fix.

    Loopback means both families, where the machine has both: a client that asks for ``localhost``
    may try either.
    """
    first = LOOPBACK_V4 if host == "localhost" else host
    if first not in _LOOPBACK_NAMES:
        return [bind_socket(first, port, setting)]
    second = LOOPBACK_V6 if first == LOOPBACK_V4 else LOOPBACK_V4
    for _ in range(_TRIES):
        one = bind_socket(first, port, setting)
        chosen = one.getsockname()[1]
        try:
            return [one, _listen(second, chosen)]
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # this machine does not have the other family
                return [one]
            if port:
                log.warning(
                    "port %d on %s belongs to another program: clients that ask for localhost may "
                    "reach it instead; use %s in their address, or choose another %s",
                    port,
                    second,
                    first,
                    setting,
                )
                return [one]
            one.close()
    raise ConfigError(f"No port is free on {first} and {second}. Choose one in {setting}.")


def bind_socket(host: str, port: int, setting: str) -> socket.socket:
    """One listening socket, or a :class:`ConfigError` that names port, setting and fix."""
    try:
        return _listen(host, port)
    except OSError as error:
        raise _bind_error(host, port, setting, error) from None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def exposure(host: str) -> str:
    """A warning when the bind address ``host`` lets other machines in, else empty."""
    if is_loopback(host):
        return ""
    where = "every network of this machine" if host in _ANY_ADDRESS else f"the address {host}"
    return (
        f"THE TRADING API IS OPEN ON {where.upper()}: other machines can reach it, unencrypted. "
        "If you did not mean that, set api.host to 127.0.0.1."
    )


def shown_host(host: str) -> str:
    """The bind address as it stands in an address, as it is."""
    return f"[{host}]" if ":" in host else host


def _bind_error(host: str, port: int, setting: str, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"Port {port} on {host} is in use by another program. Close that program, or choose "
            f"another port in the setting {setting} (0 picks a free one)."
        )
    if error.errno == errno.EACCES:
        return ConfigError(
            f"Port {port} may not be opened by this user. Choose a port above 1023 in the "
            f"setting {setting}."
        )
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return ConfigError(
            f"{host} is not an address of this machine. Set api.host to 127.0.0.1, or to an "
            "address that this machine has."
        )
    return ConfigError(
        f"Cannot listen on {host}:{port}: {error.strerror or error}. See the settings api.host "
        f"and {setting}."
    )


def url_host(host: str) -> str:
    """A host that a client on this machine can use for the bind address ``host``."""
    if host == "0.0.0.0":
        return LOOPBACK_V4
    return shown_host(LOOPBACK_V6 if host == "::" else host)


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip().lower() for part in text.split(",") if part.strip())


class HostPolicy:
    """Which ``Host`` and ``Origin`` headers are accepted (DNS rebinding, foreign web pages).

    Hosts: loopback names, the bind address, and ``api.allowed_hosts``. Origins: pages served
    from such a host, and ``api.cors_origins``. Settings are read at each question, so a change
    counts at once.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read: tuple[str, str, str] | None = None
        self._open = False
        self._hosts: frozenset[str] = frozenset()
        self._origins: frozenset[str] = frozenset()

    def _refresh(self) -> None:
        read = (
            str(self._settings["api.host"]),
            str(self._settings["api.allowed_hosts"]),
            str(self._settings["api.cors_origins"]),
        )
        if read != self._read:
            bound = {read[0].lower()} - _ANY_ADDRESS
            self._open = read[0] in _ANY_ADDRESS
            self._hosts = _LOOPBACK_NAMES | bound | _names(read[1])
            self._origins = frozenset(text.rstrip("/") for text in _names(read[2]))
            self._read = read

    def host_allowed(self, header: str | None) -> bool:
        """Whether a ``Host`` header (``name`` or ``name:port``) names this machine."""
        if not header:
            return False
        self._refresh()
        return self._is_ours(host_of_header(header))

    def origin_allowed(self, header: str | None) -> bool:
        """Whether a page of this ``Origin`` may use the API; a program sends none."""
        if header is None:
            return True
        self._refresh()
        origin = header.strip().lower().rstrip("/")
        return self._listed(origin) or self._is_ours(_host_name(origin))

    def cors_headers(self, header: str | None, *, preflight: bool = False) -> dict[str, str]:
        """Headers for an origin that the owner configured; none for any other."""
        if header is None:
            return {}
        self._refresh()
        if not self._listed(header.strip().lower().rstrip("/")):
            return {}
        headers = {"Access-Control-Allow-Origin": header, "Vary": "Origin"}
        return headers | _CORS_PREFLIGHT if preflight else headers

    def _listed(self, origin: str) -> bool:
        return origin in self._origins or "*" in self._origins

    def _is_ours(self, name: str) -> bool:
        # Rebinding needs a name: an address is safe where the owner opened the server to it.
        return bool(name) and (name in self._hosts or (self._open and is_address(name)))


def _host_name(origin: str) -> str:
    """The host of an ``Origin``: scheme, host and perhaps a port, nothing else."""
    scheme, sign, rest = origin.partition("://")
    return host_of_header(rest) if sign and scheme in ("http", "https") else ""
