"""Settings under the names of an OpenAlgo server: its environment variables and ``.env`` file.

One table says which of them have a meaning here, another which ones people have that mean nothing
here. They count for one run and are not stored; ``--set`` wins over them, they win over stored
values, and the environment wins over the file. A file counts where it was named, or where it lies
beside our own configuration: never because a program was started in some folder. Nothing of it
opens the API to the network or to every web page: that takes a setting of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from openalgo_desktop.config.settings import setting_row
from openalgo_desktop.core.addresses import is_loopback
from openalgo_desktop.core.errors import ConfigError

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
ENVIRONMENT = "the environment"


class _NotTaken(Exception):
    """The value is not taken over; the text says why and what to do instead."""


def _host_of(url: str) -> str:
    """The name in a public address, when it is not this machine's own."""
    name = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    return "" if name in ("0.0.0.0", "::") or is_loopback(name) else name


def _bind_host(text: str) -> str:
    if not is_loopback(text):
        raise _NotTaken(
            f"{text} would open the trading API to the network; if you mean that, set "
            f"api.host (--set api.host={text})"
        )
    return text


def _ws_host(text: str) -> str:
    """Both servers have one address here, so a loopback address says nothing new."""
    _bind_host(text)
    return ""


def _origins(text: str) -> str:
    if "*" in text:
        raise _NotTaken(
            "every web page could call the trading API; name the pages in api.cors_origins"
        )
    return text


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class EnvName:
    """One variable, the setting that it means, and how its text becomes the value. An empty
    value says nothing; values of ``joined`` variables of one setting make a list."""

    name: str
    setting: str
    help: str
    value: Callable[[str], str] = _same
    only_if: str = ""  # another variable that must be true
    joined: bool = False
    file_only: bool = False  # a name that other programs use in the environment too


NAMES: tuple[EnvName, ...] = (
    EnvName("FLASK_HOST_IP", "api.host", "address to bind, if it is loopback", _bind_host),
    EnvName("WEBSOCKET_HOST", "api.host", "the same: both servers have one address", _ws_host),
    EnvName("FLASK_PORT", "api.rest_port", "REST port"),
    EnvName("WEBSOCKET_PORT", "api.ws_port", "WebSocket port"),
    EnvName(
        "HOST_SERVER",
        "api.allowed_hosts",
        "public host name (proxies, tunnels)",
        _host_of,
        joined=True,
    ),
    EnvName(
        "WEBSOCKET_URL",
        "api.allowed_hosts",
        "public host name of the stream",
        _host_of,
        joined=True,
    ),
    EnvName(
        "CORS_ALLOWED_ORIGINS",
        "api.cors_origins",
        "browser origins that may call",
        _origins,
        only_if="CORS_ENABLED",
    ),
    EnvName("API_RATE_LIMIT", "limits.api", "limit of general endpoints"),
    EnvName("ORDER_RATE_LIMIT", "limits.order", "limit of order endpoints"),
    EnvName("SMART_ORDER_RATE_LIMIT", "limits.smart", "limit of placesmartorder"),
    EnvName("GREEKS_RATE_LIMIT", "limits.greeks", "limit of optiongreeks"),
    EnvName("WEBHOOK_RATE_LIMIT", "limits.webhook", "limit of webhooks"),
    EnvName("SESSION_EXPIRY_TIME", "sandbox.session_expiry_time", "when a new session begins"),
    EnvName("LOG_LEVEL", "log.level", "detail of the log", file_only=True),
    EnvName("LOG_RETENTION", "log.keep_days", "days of log files", file_only=True),
)
DATABASE = "DATABASE_URL"
SWITCHES = frozenset(row.only_if for row in NAMES if row.only_if)

#: Variables that only an OpenAlgo server has and that mean nothing here: named at the start when
#: they are in the environment. In a file every name that means nothing is named.
IGNORED: Mapping[str, str] = {
    "LATENCY_DATABASE_URL": "latencies are in the API monitor",
    "LOGS_DATABASE_URL": "requests are in the API monitor and the audit trail",
    "SANDBOX_DATABASE_URL": "the sandbox is in our own database",
    "HISTORIFY_DATABASE_URL": "candles are not stored",
    "HEALTH_DATABASE_URL": "there is no health monitor",
    "SANDBOX_ENGINE_TYPE": "sandbox orders fill on ticks",
    "SANDBOX_ENGINE_FALLBACK": "sandbox orders fill on ticks",
    "ZMQ_HOST": "there is no message bus between processes",
    "ZMQ_PORT": "there is no message bus between processes",
    "VALID_BROKERS": "brokers are chosen in the window or with --broker",
    "REDIRECT_URL": "the login shows the address to register",
    "API_KEY_PEPPER": "keys are made here: see the API menu",
    "SMART_ORDER_DELAY": "smart orders are not delayed",
    "MAX_SYMBOLS_PER_WEBSOCKET": "the broker's own limit counts",
    "MAX_WEBSOCKET_CONNECTIONS": "the broker's own limit counts",
    "STRATEGY_RATE_LIMIT": "webhooks have WEBHOOK_RATE_LIMIT",
    "LOGIN_RATE_LIMIT_MIN": "there is no web login",
    "LOGIN_RATE_LIMIT_HOUR": "there is no web login",
    "NGROK_ALLOW": "tunnels are yours: add their name to api.allowed_hosts",
}


@dataclass(frozen=True, slots=True)
class EnvSettings:
    """What one run takes from an OpenAlgo server's names.

    ``origins`` says for each setting which variable of which file gave it; ``notes`` are sentences
    for the start about what was taken and what has no meaning here, ``warnings`` name what was not
    taken because it would open a door.
    """

    values: Mapping[str, str]
    origins: Mapping[str, str]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME = 'value'`` lines; comments and anything else are passed over."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
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


def find_env_file(*folders: Path) -> Path | None:
    """The first ``.env`` in these folders (of our configuration) that speaks of an OpenAlgo
    server."""
    known_names = {row.name for row in NAMES}
    for folder in folders:
        path = folder / ".env"
        if path.is_file() and known_names & read_env_file(path).keys():
            return path
    return None


def env_settings(
    environ: Mapping[str, str],
    file: Mapping[str, str],
    file_name: str = ".env",
    *,
    named: bool = True,
) -> EnvSettings:
    """Settings of this run by key; ``named`` says whether the user named the file. Raises
    :class:`ConfigError` that names the variable."""
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    notes: list[str] = []
    warnings: list[str] = []
    for row in NAMES:
        outside = {} if row.file_only else environ
        place = ENVIRONMENT if outside.get(row.name, "").strip() else file_name
        try:
            text = _value(row, {**file, **outside})
        except _NotTaken as reason:
            warnings.append(f"{row.name} of {place} is not used: {reason}.")
            continue
        if not text:
            continue
        if row.joined and row.setting in values:
            if text in values[row.setting].split(","):
                continue
            text = f"{values[row.setting]},{text}"
        values[row.setting] = text
        origins[row.setting] = f"{row.name} of {place}"
    for place in dict.fromkeys((file_name, ENVIRONMENT)):
        taken = [key for key, origin in origins.items() if origin.endswith(f" of {place}")]
        if taken:
            notes.append(f"{place} gives {', '.join(taken)}.")
    if file.get(DATABASE, "").strip():
        how = "counts only when the file is named (--env-file)"
        if named:
            how = "is the database"
        if not database_url(file):
            how = "is the server's own file and left alone (`openalgo-desktop import` reads it)"
        notes.append(f"{DATABASE} of {file_name} {how}.")
    notes += _ignored(environ, file, file_name)
    return EnvSettings(values, origins, tuple(notes), tuple(warnings))


def _value(row: EnvName, given: Mapping[str, str]) -> str:
    """The setting's text, empty when the variable says nothing."""
    text = given.get(row.name, "").strip()
    switch = given.get(row.only_if, "true").strip().lower()
    if not text or switch not in ("true", "1", "yes", "on"):
        return ""
    text = row.value(text)
    if text:
        try:
            setting_row(row.setting).parse(text)
        except ConfigError as error:
            raise ConfigError(f"{row.name}: {error.message}") from None
    return text


def _ignored(environ: Mapping[str, str], file: Mapping[str, str], file_name: str) -> list[str]:
    """Sentences that name what has no meaning here, with the reason where there is one."""
    known = {row.name for row in NAMES} | SWITCHES | {DATABASE}
    notes = [
        f"{name} of {ENVIRONMENT if name in environ else file_name} is ignored: {reason}."
        for name, reason in IGNORED.items()
        if (environ.get(name) or file.get(name))
    ]
    others = [name for name in file if name not in known and name not in IGNORED]
    if others:
        notes.append(f"{file_name}: without a meaning here and ignored: {', '.join(others)}.")
    return notes


def database_url(file: Mapping[str, str]) -> str:
    """The database of a ``.env`` file that was named, when it can be used here, else empty.

    The file of an OpenAlgo server's SQLite belongs to that server, so it is left alone; the
    environment is not asked, because many programs use the same name.
    """
    url = file.get(DATABASE, "").strip()
    return "" if url.startswith("sqlite") else url
