"""What the owner of a terminal can do from the command line, as one table: the parser, the door
of the running engine and the help are made from it. Nothing is imported here but the standard
library, for small commands must stay small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from openalgo_desktop.core.errors import ConfigError

#: Header that carries the control token of the running engine.
TOKEN_HEADER = "X-OpenAlgo-Owner"
#: Path below which operations are: ``/owner/<group>/<verb>``.
PREFIX = "/owner/"
#: Who the audit trail names.
WHO = "cli"


class Guard(StrEnum):
    """What the app lock asks before an operation, as the window does; nothing without a lock."""

    FREE = "free"  # always: what closes positions gets out, and what shows no more than a lamp
    UNLOCKED = "unlocked"  # the password while the program is locked
    PASSWORD = "password"  # the password each time


@dataclass(frozen=True, slots=True)
class Field:
    """One argument. ``kind`` is ``text``, ``int``, ``flag``, ``list`` or ``secret``; a positional
    argument of the command unless ``option``. A secret is no argument, for those are seen by
    others: it is asked at the prompt or read from standard input, one line."""

    name: str
    help: str
    kind: str = "text"
    option: bool = False
    required: bool = True
    choices: tuple[str, ...] = ()
    metavar: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do. ``confirm`` is asked at a prompt unless ``--yes``; ``offline`` ones also
    work on the data folder when no engine runs; ``hidden`` ones are for other commands."""

    group: str
    verb: str
    help: str
    fields: tuple[Field, ...] = ()
    guard: Guard = Guard.UNLOCKED
    changes: bool = False  # written to the audit trail
    confirm: str = ""
    offline: bool = False
    hidden: bool = False
    #: Verb (same group) whose answer is shown before ``confirm``; the ``next`` of that answer is
    #: handed over as the argument ``seen``.
    preview: str = ""
    seen: str = ""
    #: Hidden verb that goes on, with the argument ``token``, while an answer has a ``next``.
    more: str = ""

    @property
    def name(self) -> str:
        """``group verb``."""
        return f"{self.group} {self.verb}"


#: Groups and what they are, in the order of the help.
GROUPS: dict[str, str] = {
    "kill": "the kill switch: block, cancel, close, verify",
    "mode": "where orders go: sandbox or live",
    "approvals": "the action centre: orders that wait for a human",
    "accounts": "broker accounts and their roles",
    "keys": "API keys",
    "webhooks": "webhook strategies",
    "strategy": "your own programs: add, run, schedule, promote to live",
    "alerts": "alerts on prices, studies and drawings",
    "telegram": "the Telegram bot and the chats that are linked with it",
    "settings": "settings, their values and where these come from",
    "sandbox": "the paper account",
    "engine": "the running engine",
}

Op, F = Operation, Field
_ID = F("id", "number of the request", "int", metavar="ID")
_WATCHED = F("id", "id of the alert (alerts list)", metavar="ID")
_ALERT = F("id", "number of the alert (webhooks unsent)", "int", metavar="ID")
_ACCOUNT = F("name", "broker, or broker:2 for a second account", metavar="NAME")
_WEBHOOK = F("name", "name of the strategy, or its id", metavar="NAME")
_PROGRAM = F("name", "name of the program, or its id", metavar="NAME")
_CHAT = F("chat", "id of the chat (telegram chats)", metavar="CHAT")
_ASKED = F("id", "id of the request (telegram waiting)", metavar="ID")
_SETTING = F("key", "such as api.rest_port", metavar="KEY")

STRATEGY: tuple[Operation, ...] = (
    Op(
        "strategy",
        "add",
        "take in a Python file, a folder with an entry point, or sample:NAME",
        (
            F("path", "file, folder, or sample:NAME", metavar="PATH"),
            F("name", "its name here; without it that of the file", option=True, required=False),
            F("link", "use it where it is; without it a copy is kept", "flag", option=True),
        ),
        changes=True,
    ),
    Op("strategy", "samples", "programs to read and to start from"),
    Op("strategy", "list", "all programs and how they are doing"),
    Op("strategy", "show", "one program with its schedule, quotas and parameters", (_PROGRAM,)),
    Op(
        "strategy",
        "start",
        "start a program; live only after promote",
        (_PROGRAM, F("mode", "sandbox or live", option=True, choices=("sandbox", "live"))),
        changes=True,
    ),
    Op(
        "strategy",
        "stop",
        "end its processes",
        (
            _PROGRAM,
            F("square_off", "close what it holds, too", "flag", option=True),
            F("leave", "leave what it holds, whatever at_stop says", "flag", option=True),
        ),
        Guard.FREE,
        changes=True,
    ),
    Op("strategy", "restart", "apply what was edited: stop and start", (_PROGRAM,), changes=True),
    Op(
        "strategy",
        "logs",
        "what it printed",
        (
            _PROGRAM,
            F("run", "id of a run; without it the last one", option=True, required=False),
            F("lines", "how many lines (200)", "int", option=True, required=False),
            F("search", "only lines that contain this", option=True, required=False),
            F("follow", "go on with what comes", "flag", option=True),
        ),
        more="tail",
    ),
    Op("strategy", "tail", "more of a log", (F("token", "of the answer before"),), hidden=True),
    Op("strategy", "runs", "its runs and how they ended", (_PROGRAM,)),
    Op("strategy", "record", "what it did in the sandbox", (_PROGRAM,)),
    Op(
        "strategy",
        "promote",
        "let it trade live, as it is now",
        (_PROGRAM, F("digest", "content that you looked at", option=True, required=False)),
        Guard.PASSWORD,
        changes=True,
        confirm="May this program trade with real money from now on, as it is now?",
        preview="record",
        seen="digest",
    ),
    Op("strategy", "demote", "only in the sandbox again", (_PROGRAM,), changes=True),
    Op(
        "strategy",
        "schedule",
        "when it runs by itself; without options: show it",
        (
            _PROGRAM,
            F("on", "follow the schedule", "flag", option=True),
            F("off", "follow it no more", "flag", option=True),
            F("days", "such as MON,TUE,WED", option=True, required=False),
            F("window", "HH:MM-HH:MM IST, may be repeated", "list", option=True, required=False),
            F("all_day", "around the clock, every day", "flag", option=True),
            F("expiry_of", "only on expiry days of this underlying", option=True, required=False),
            F("any_day", "not only on expiry days", "flag", option=True),
            F(
                "mode",
                "mode of scheduled starts",
                option=True,
                required=False,
                choices=("sandbox", "live"),
            ),
            F(
                "at_end",
                "what the end of a window does",
                option=True,
                required=False,
                choices=("stop", "square-off", "leave"),
            ),
            F("late", "minutes for which a missed start is made up", option=True, required=False),
        ),
        changes=True,
    ),
    Op(
        "strategy",
        "set",
        "change a quota, a parameter or how it is treated",
        (
            _PROGRAM,
            F("key", "such as quotas.day_loss, parameters.fast, on_crash", metavar="KEY"),
            F("value", "new value; empty is the default", required=False, metavar="VALUE"),
        ),
        changes=True,
    ),
    Op(
        "strategy",
        "remove",
        "stop and forget a program, its copy and its logs",
        (_PROGRAM,),
        changes=True,
        confirm="Remove this program, the copy of its files and its logs?",
    ),
)

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
    Op("keys", "list", "API keys that work", offline=True),
    Op(
        "keys",
        "create",
        "a new key; its text is shown once",
        (
            F("name", "what it is for", metavar="NAME"),
            F(
                "rights",
                "trade (default), read or sandbox",
                option=True,
                required=False,
                choices=("trade", "read", "sandbox"),
            ),
            F("account", "only for this account id", option=True, required=False),
        ),
        changes=True,
        offline=True,
    ),
    Op(
        "keys",
        "revoke",
        "make a key worthless at once",
        (F("key", "number of the key, or its name", metavar="KEY"),),
        changes=True,
        offline=True,
    ),
    Op("webhooks", "list", "strategies, without their secret ids", offline=True),
    Op("webhooks", "show", "one strategy with its address", (_WEBHOOK,), offline=True),
    Op(
        "webhooks",
        "create",
        "a new strategy; its address is the secret",
        (
            F("name", "name of the strategy", metavar="NAME"),
            F(
                "symbol",
                "EXCHANGE:SYMBOL:QUANTITY[:PRODUCT], may be repeated",
                "list",
                option=True,
                metavar="SYMBOL",
            ),
            F(
                "kind",
                "strategy (default) or chartink",
                option=True,
                required=False,
                choices=("strategy", "chartink"),
            ),
            F(
                "side",
                "LONG (default), SHORT or BOTH",
                option=True,
                required=False,
                choices=("LONG", "SHORT", "BOTH"),
            ),
            F("start", "first entry, HH:MM IST", option=True, required=False),
            F("end", "last entry, HH:MM IST", option=True, required=False),
            F("square_off", "positions are closed, HH:MM IST", option=True, required=False),
            F("positional", "no hours: positions are kept overnight", "flag", option=True),
        ),
        changes=True,
        offline=True,
    ),
    Op(
        "webhooks",
        "adopt",
        "a strategy with the id that it had on an OpenAlgo server",
        (F("row", "the strategy as JSON"),),
        changes=True,
        offline=True,
        hidden=True,
    ),
    Op("webhooks", "enable", "follow its alerts", (_WEBHOOK,), changes=True, offline=True),
    Op("webhooks", "disable", "refuse its alerts", (_WEBHOOK,), changes=True, offline=True),
    Op(
        "webhooks",
        "delete",
        "forget a strategy",
        (_WEBHOOK,),
        changes=True,
        offline=True,
        confirm="Delete this strategy? Its address stops working.",
    ),
    Op("webhooks", "unsent", "alerts that a stop of the program left unsent, with their age"),
    Op(
        "webhooks",
        "send",
        "send the order of an unsent alert now, at the price of now",
        (_ALERT,),
        changes=True,
        confirm="Send this old alert's order now, whatever its price has done since?",
    ),
    Op("webhooks", "drop", "forget an unsent alert; nothing is sent", (_ALERT,), changes=True),
    Op("alerts", "list", "what is watched, and what hears nothing"),
    Op("alerts", "log", "what alerts told within 90 days, newest first"),
    Op("alerts", "pause", "watch an alert no more until it is resumed", (_WATCHED,), changes=True),
    Op("alerts", "resume", "watch a paused or fired alert", (_WATCHED,), changes=True),
    Op("alerts", "delete", "end an alert for good", (_WATCHED,), changes=True),
    *STRATEGY,
    Op("telegram", "status", "whether the bot runs, and what hinders it", guard=Guard.FREE),
    Op(
        "telegram",
        "token",
        "store the token of your bot, as @BotFather gave it; it is asked for, or read from "
        "standard input",
        (F("token", "Token of the bot", "secret"),),
        changes=True,
    ),
    Op("telegram", "forget", "drop the token and stop the bot", changes=True),
    Op("telegram", "on", "switch the bot on", changes=True),
    Op("telegram", "off", "switch it off", changes=True),
    Op("telegram", "link", "a code that links the chat which sends it to the bot", changes=True),
    Op("telegram", "chats", "linked chats"),
    Op("telegram", "unlink", "a chat may ask no more", (_CHAT,), changes=True),
    Op(
        "telegram",
        "authenticator",
        "what an authenticator app reads for the one-time codes of a chat",
        (_CHAT,),
        Guard.PASSWORD,
        changes=True,
    ),
    Op("telegram", "test", "send a message to all linked chats"),
    Op("telegram", "waiting", "what chats want that changes money"),
    Op("telegram", "confirm", "do what a chat wants", (_ASKED,), changes=True),
    Op("telegram", "refuse", "do not", (_ASKED,), changes=True),
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
