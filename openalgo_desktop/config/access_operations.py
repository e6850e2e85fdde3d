"""What the owner can do with API keys and webhook strategies from the command line."""

from __future__ import annotations

from openalgo_desktop.config.operation import Field, Operation

Op, F = Operation, Field
_ALERT = F("id", "number of the alert (webhooks unsent)", "int", metavar="ID")
_WEBHOOK = F("name", "name of the strategy, or its id", metavar="NAME")


ACCESS_OPERATIONS: tuple[Operation, ...] = (
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
)
