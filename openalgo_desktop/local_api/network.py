"""Listening sockets and who may knock: shared by the REST and the WebSocket server."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from urllib.parse import urlsplit

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.settings import Settings

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})
_CORS_PREFLIGHT = {
    "Access-Control-Allow-Methods": "DELETE, GET, PATCH, POST, PUT",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Requested-With",
    "Access-Control-Max-Age": "86400",
}


def bind_socket(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket, or a :class:`ConfigError` that names port, setting and fix."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _bind_error(host, port, setting, error) from None
    return listener


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
    if host in ("0.0.0.0", ""):
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host


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
        return self._is_ours(_host_name(f"//{header}"))

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
        return name in self._hosts or (self._open and _is_address(name))


def _host_name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
