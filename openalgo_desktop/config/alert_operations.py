"""What the owner can do with alerts from the command line."""

from __future__ import annotations

from openalgo_desktop.config.operation import Field, Guard, Operation

Op, F = Operation, Field
_WATCHED = F("id", "id of the alert (alerts list)", metavar="ID")


ALERT_OPERATIONS: tuple[Operation, ...] = (
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
)
