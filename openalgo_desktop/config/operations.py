"""What the owner of a terminal can do from the command line, as one table: the parser, the door
of the running engine and the help are made from it. Nothing is imported here but the standard
library, for small commands must stay small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openalgo_desktop.config.operation import Field, Guard, Operation
from openalgo_desktop.config.strategy_operations import STRATEGY_OPERATIONS
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
_WATCHED = F("id", "id of the alert (alerts list)", metavar="ID")
_ALERT = F("id", "number of the alert (webhooks unsent)", "int", metavar="ID")
_ACCOUNT = F("name", "broker, or broker:2 for a second account", metavar="NAME")
_WEBHOOK = F("name", "name of the strategy, or its id", metavar="NAME")
_CHAT = F("chat", "id of the chat (telegram chats)", metavar="CHAT")
_ASKED = F("id", "id of the request (telegram waiting)", metavar="ID")
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
    Op(
        "webhooks",
        "log",
        "alerts that came, of one strategy or of all, and what became of each",
        (F("name", "name of the strategy", required=False, metavar="NAME"),),
    ),
    Op("webhooks", "payload", "what to paste into TradingView and others", (_WEBHOOK,)),
    Op(
        "webhooks",
        "test",
        "send a strategy an alert of its own, in the sandbox",
        (
            _WEBHOOK,
            F("action", "start, stop, long_entry...", option=True, required=False),
        ),
        changes=True,
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
    Op(
        "alerts",
        "add",
        "watch for something and tell",
        (
            F(
                "when",
                "above, below, crosses, crosses-up, crosses-down, happens ...",
                metavar="WHEN",
            ),
            F("level", "number that it is compared with", required=False, metavar="LEVEL"),
            F("symbol", "instrument, such as NSE:SBIN", option=True, required=False),
            F(
                "of",
                "price, delta, gamma, theta, vega, iv, pnl, pnl-symbol, pnl-strategy, time, "
                "orders, or a formula such as 'NSE:SBIN / NSE:INFY'",
                option=True,
                required=False,
            ),
            F("against", "formula whose value is the level", option=True, required=False),
            F(
                "mode",
                "of P&L and orders",
                option=True,
                required=False,
                choices=("sandbox", "live"),
            ),
            F(
                "account",
                "of P&L (the one that serves the mode) and orders (any)",
                option=True,
                required=False,
            ),
            F("strategy", "of P&L and orders", option=True, required=False),
            F(
                "news",
                "of orders: filled, rejected, cancelled, triggered",
                "list",
                option=True,
                required=False,
            ),
            F(
                "at",
                "of a time: 2026-12-01T10:30 once, or 09:20 each trading day",
                option=True,
                required=False,
            ),
            F(
                "open",
                "of a time: minutes after the opening (before it below 0)",
                option=True,
                required=False,
            ),
            F(
                "close",
                "of a time: minutes after the close (before it below 0)",
                option=True,
                required=False,
            ),
            F(
                "repeat",
                "once, every time, or once in each bar of --span",
                option=True,
                required=False,
                choices=("once", "every", "bar"),
            ),
            F("span", "bars, such as 5m", option=True, required=False),
            F("note", "told with it", option=True, required=False),
            F("message", "told instead of the usual words", option=True, required=False),
            F(
                "tell",
                "ways to tell (toast, sound, desktop, telegram)",
                "list",
                option=True,
                required=False,
            ),
        ),
        changes=True,
    ),
    Op(
        "alerts",
        "post",
        "have an alert post JSON to an address",
        (
            _WATCHED,
            F("url", "https://… ({{secret}} in its path stands for the secret)", metavar="URL"),
            F("body", "JSON with placeholders", option=True, required=False),
            F("secret", "name of a secret (alerts secret)", option=True, required=False),
            F("header", "header of the secret", option=True, required=False),
        ),
        changes=True,
    ),
    Op(
        "alerts",
        "secret",
        "keep the secret of a post in the vault",
        (
            F("name", "name of the secret", metavar="NAME"),
            F("value", "the secret; empty forgets it", "secret", required=False),
        ),
        changes=True,
    ),
    Op(
        "alerts",
        "order",
        "have an alert send an order",
        (
            _WATCHED,
            F("action", "BUY or SELL", choices=("BUY", "SELL"), metavar="ACTION"),
            F("quantity", "units", "int", metavar="UNITS"),
            F("symbol", "instrument, such as NSE:SBIN", metavar="SYMBOL"),
            F(
                "mode",
                "sandbox or live; it never changes",
                option=True,
                choices=("sandbox", "live"),
            ),
            F(
                "product",
                "MIS, CNC or NRML",
                option=True,
                required=False,
                choices=("MIS", "CNC", "NRML"),
            ),
            F("price", "limit in rupees; without one at the market", option=True, required=False),
            F("strategy", "its name", option=True, required=False),
            F(
                "per_day",
                "orders a day of an alert that tells each time",
                "int",
                option=True,
                required=False,
            ),
        ),
        Guard.PASSWORD,
        changes=True,
        confirm="This alert will send an order by itself when it tells. Go on?",
    ),
    Op(
        "alerts",
        "run",
        "have an alert start a strategy",
        (
            _WATCHED,
            F("name", "of the program or the made strategy", metavar="NAME"),
            F("mode", "sandbox or live", option=True, choices=("sandbox", "live")),
        ),
        Guard.PASSWORD,
        changes=True,
        confirm="This alert will start a strategy by itself when it tells. Go on?",
    ),
    Op(
        "alerts",
        "stop",
        "have an alert stop a strategy",
        (_WATCHED, F("name", "of the program or the made strategy", metavar="NAME")),
        changes=True,
    ),
    Op(
        "alerts",
        "disarm",
        "take all actions from an alert; it still tells",
        (_WATCHED,),
        changes=True,
    ),
    Op("alerts", "pause", "watch an alert no more until it is resumed", (_WATCHED,), changes=True),
    Op("alerts", "resume", "watch a paused or fired alert", (_WATCHED,), changes=True),
    Op("alerts", "delete", "end an alert for good", (_WATCHED,), changes=True),
    *STRATEGY_OPERATIONS,
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
