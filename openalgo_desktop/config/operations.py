"""What the owner of a terminal can do from the command line, as one table: the parser, the door
of the running engine and the help are made from it. Nothing is imported here but the standard
library, for small commands must stay small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openalgo_desktop.config.access_operations import ACCESS_OPERATIONS
from openalgo_desktop.config.alert_operations import ALERT_OPERATIONS
from openalgo_desktop.config.operation import Field, Guard, Operation
from openalgo_desktop.config.strategy_operations import STRATEGY_OPERATIONS
from openalgo_desktop.config.telegram_operations import TELEGRAM_OPERATIONS
from openalgo_desktop.core.errors import ConfigError

#: Header that carries the control token of the running engine.
TOKEN_HEADER = "X-OpenAlgo-Owner"
#: Path below which operations are: ``/owner/<group>/<verb>``.
PREFIX = "/owner/"
#: Who the audit trail names.
WHO = "cli"

#: Groups and what they are, in the order of the help.
GROUPS: dict[str, str] = {
    "kill": "the kill switch: block, cancel, close, verify",
    "mode": "where orders go: sandbox or live",
    "approvals": "the action centre: orders that wait for a human",
    "accounts": "broker accounts and their roles",
    "keys": "API keys",
    "webhooks": "webhook strategies",
    "strategy": "your own programs: add, run, schedule, promote to live",
    "alerts": "alerts: what is watched, told and done",
    "telegram": "the Telegram bot and the chats that are linked with it",
    "settings": "settings, their values and where these come from",
    "sandbox": "the paper account",
    "engine": "the running engine",
}

Op, F = Operation, Field
_ID = F("id", "number of the request", "int", metavar="ID")
_ACCOUNT = F("name", "broker, or broker:2 for a second account", metavar="NAME")
_SETTING = F("key", "such as api.rest_port", metavar="KEY")

OPERATIONS: tuple[Operation, ...] = (
    Op("kill", "status", "whether new orders are blocked", guard=Guard.FREE),
    Op(
        "kill",
        "now",
        "block new orders, cancel what rests, close what is open, verify, report",
        (F("cancel_only", "leave positions open", "flag", option=True),),
        Guard.FREE,
        changes=True,
    ),
    Op("kill", "reset", "accept new orders again", changes=True),
    Op("mode", "get", "the mode of the next order", guard=Guard.FREE),
    Op(
        "mode",
        "sandbox",
        "from now on orders go to the paper account",
        guard=Guard.FREE,
        changes=True,
    ),
    Op(
        "mode",
        "live",
        "from now on orders go to the broker with real money",
        guard=Guard.PASSWORD,
        changes=True,
        confirm="Orders of every source go to the broker with real money from now on. Go LIVE?",
    ),
    Op(
        "approvals",
        "list",
        "requests that wait",
        (F("all", "decided ones too, newest first", "flag", option=True),),
    ),
    Op(
        "approvals",
        "approve",
        "send a waiting request",
        (_ID, F("accept_price", "at the price of now too", "flag", option=True)),
        changes=True,
    ),
    Op(
        "approvals",
        "reject",
        "drop a waiting request",
        (_ID, F("reason", "for the audit trail", option=True, required=False)),
        changes=True,
    ),
    Op("accounts", "list", "open accounts, their state and roles"),
    Op(
        "accounts",
        "connect",
        "open an account; log in with the login command",
        (_ACCOUNT,),
        changes=True,
    ),
    Op(
        "accounts",
        "disconnect",
        "close an account that has no role",
        (_ACCOUNT, F("forget", "drop its stored secrets too", "flag", option=True)),
        changes=True,
    ),
    Op(
        "accounts",
        "use",
        "give an account a role; both without an option",
        (
            _ACCOUNT,
            F("data", "market data and symbol master", "flag", option=True),
            F("orders", "live orders", "flag", option=True),
        ),
        changes=True,
    ),
    Op(
        "accounts",
        "symbols",
        "download the symbol master of an account anew",
        (_ACCOUNT,),
        changes=True,
    ),
    Op(
        "accounts",
        "sizes",
        "settle from its symbol master whether a broker counts units or contracts",
        (_ACCOUNT,),
        changes=True,
    ),
    *ACCESS_OPERATIONS,
    *ALERT_OPERATIONS,
    *STRATEGY_OPERATIONS,
    *TELEGRAM_OPERATIONS,
    Op(
        "settings",
        "list",
        "values and where they come from",
        (F("pattern", "part of a key, such as api", required=False, metavar="PATTERN"),),
        Guard.FREE,
        offline=True,
    ),
    Op("settings", "get", "one value", (_SETTING,), Guard.FREE, offline=True),
    Op(
        "settings",
        "set",
        "store a value",
        (_SETTING, F("value", "new value", metavar="VALUE")),
        changes=True,
        offline=True,
    ),
    Op("settings", "unset", "back to the default", (_SETTING,), changes=True, offline=True),
    Op("sandbox", "status", "funds and counts of the paper account"),
    Op(
        "sandbox",
        "reset",
        "delete its orders and positions, give it its starting capital",
        changes=True,
        confirm="Reset the sandbox? Its orders, positions and history are deleted.",
    ),
    Op("engine", "status", "what runs: process, addresses, mode, versions", guard=Guard.FREE),
    Op(
        "engine",
        "watch",
        "symbols for the window's watch list, shown at its next start",
        (F("symbol", "EXCHANGE:SYMBOL, may be repeated", "list", option=True),),
        changes=True,
        offline=True,
        hidden=True,
    ),
    Op(
        "engine",
        "endpoint",
        "how an endpoint is called, and the default key",
        (F("path", "path of the endpoint"), F("method", "GET or POST", required=False)),
        Guard.FREE,  # the default key opens what the app lock does not guard
        hidden=True,
    ),
    Op(
        "engine",
        "mcp",
        "what a call of a language model may do, and the key for it",
        (F("key", "API key of the caller; without one that of the command", required=False),),
        Guard.FREE,  # it opens no more than the default key
        hidden=True,
    ),
)


def told(row: Operation, data: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that may be written down: those that say something, without secrets."""
    secret = {field.name for field in row.fields if field.kind == "secret"}
    return {
        name: value
        for name, value in data.items()
        if value not in ("", False, [], 0) and name not in secret
    }


def operation(group: str, verb: str) -> Operation | None:
    """The row of an operation."""
    return next((row for row in OPERATIONS if (row.group, row.verb) == (group, verb)), None)


def checked(row: Operation, data: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operation, all fields present. Raises :class:`ConfigError` that names
    the field."""
    known = {field.name: field for field in row.fields}
    for name in data:
        if name not in known:
            raise ConfigError(f"{name}: {row.name} has no such argument.")
    return {name: _checked(field, data.get(name)) for name, field in known.items()}


_KINDS: dict[str, tuple[type, Any]] = {
    "text": (str, ""),
    "path": (str, ""),
    "int": (int, 0),
    "flag": (bool, False),
    "list": (list, []),
    "secret": (str, ""),
}


def _checked(field: Field, value: Any) -> Any:
    kind, empty = _KINDS[field.kind]
    if value is None or value in ("", []):
        if field.required and field.kind != "flag":
            raise ConfigError(f"{field.name}: missing ({field.help}).")
        return empty
    right = type(value) is kind
    if isinstance(value, list):
        right = right and all(isinstance(text, str) for text in value)
    if not right:
        raise ConfigError(f"{field.name}: expected {field.kind}, not {type(value).__name__}.")
    if field.choices and value not in field.choices:
        raise ConfigError(f"{field.name}: {value!r} must be one of: {', '.join(field.choices)}.")
    return value
