"""Settings under the names of an OpenAlgo server: its environment variables and ``.env`` file.

One table says which of them have a meaning here. They count for one run and are not stored;
``--set`` wins over them, they win over stored values, and the environment wins over the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.settings import setting_row

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "")


def _host_of(url: str) -> str:
    """The name in a public address, when it is not this machine's own."""
    name = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    return "" if name in _LOOPBACK else name


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class EnvName:
    """One variable, the setting that it means, and how its text becomes the value. An empty
    value says nothing."""

    name: str
    setting: str
    help: str
    value: Callable[[str], str] = _same
    only_if: str = ""  # another variable that must be true


NAMES: tuple[EnvName, ...] = (
    EnvName("FLASK_HOST_IP", "api.host", "address to bind"),
    EnvName("FLASK_PORT", "api.rest_port", "REST port"),
    EnvName("WEBSOCKET_PORT", "api.ws_port", "WebSocket port"),
    EnvName("HOST_SERVER", "api.allowed_hosts", "public host name (proxies, tunnels)", _host_of),
    EnvName(
        "CORS_ALLOWED_ORIGINS",
        "api.cors_origins",
        "browser origins that may call",
        only_if="CORS_ENABLED",
    ),
    EnvName("API_RATE_LIMIT", "limits.api", "limit of general endpoints"),
    EnvName("ORDER_RATE_LIMIT", "limits.order", "limit of order endpoints"),
    EnvName("SMART_ORDER_RATE_LIMIT", "limits.smart", "limit of placesmartorder"),
    EnvName("GREEKS_RATE_LIMIT", "limits.greeks", "limit of optiongreeks"),
    EnvName("WEBHOOK_RATE_LIMIT", "limits.webhook", "limit of webhooks"),
    EnvName("SESSION_EXPIRY_TIME", "sandbox.session_expiry_time", "when a new session begins"),
)
DATABASE = "DATABASE_URL"


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME = 'value'`` lines; comments and anything else are passed over."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = None if line.lstrip().startswith("#") else _LINE.fullmatch(line)
        if match is not None:
            found[match[1]] = _unquoted(match[2])
    return found


def _unquoted(text: str) -> str:
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return re.split(r"\s+#", text, maxsplit=1)[0].strip()


def find_env_file(*folders: Path | None) -> Path | None:
    """The first ``.env`` in these folders that speaks of an OpenAlgo server."""
    for folder in folders:
        path = folder / ".env" if folder is not None else None
        if path is not None and path.is_file():
            known = read_env_file(path)
            if any(row.name in known for row in NAMES):
                return path
    return None


def overrides(environ: Mapping[str, str], file: Mapping[str, str]) -> dict[str, str]:
    """Settings of this run by key. Raises :class:`ConfigError` that names the variable."""
    values = {**file, **environ}
    found: dict[str, str] = {}
    for row in NAMES:
        text = row.value(values.get(row.name, "").strip())
        switch = values.get(row.only_if, "true").strip().lower()
        if not text or switch not in ("true", "1", "yes", "on"):
            continue
        try:
            setting_row(row.setting).parse(text)
        except ConfigError as error:
            raise ConfigError(f"{row.name}: {error.message}") from None
        found[row.setting] = text
    return found


def origins(
    environ: Mapping[str, str], file: Mapping[str, str], path: Path | None
) -> dict[str, str]:
    """Where each value of :func:`overrides` came from, by key of the setting."""
    return {
        row.setting: f"{row.name} in {'the environment' if row.name in environ else path}"
        for row in NAMES
        if row.name in environ or row.name in file
    }


def database_url(file: Mapping[str, str]) -> str:
    """The database of the ``.env`` file when it can be used here, else empty.

    The file of an OpenAlgo server's SQLite belongs to that server, so it is left alone; the
    environment is not asked, because many programs use the same name.
    """
    url = file.get(DATABASE, "").strip()
    return "" if url.startswith("sqlite") else url
