"""The lines of the form of alerts on figures, results, times and orders, and of alerts that act; a
wish out of them and the other way round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from openalgo_desktop.core.alert_acts import Act, PostTo, RunStrategy, SendOrder, StopStrategy
from openalgo_desktop.core.alert_subjects import (
    FIGURE_WORDS,
    Edge,
    Figure,
    OfCombination,
    OfGreek,
    OfOrders,
    OfResult,
    OfTime,
    OrderNews,
    ResultOf,
)
from openalgo_desktop.core.alerts import PRICE, AlertWhen, AlertWish, Pace, Source
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.ui.kit.forms import Line, Values
from openalgo_desktop.ui.rooms.automation import alert_words

LTP, COMBINATION, GREEK, TIME, ORDERS = "price", "combination", "greek", "time", "orders"
RESULT = "result"
SUBJECTS: Mapping[str, str] = {
    LTP: "LTP of the symbol",
    COMBINATION: "Another symbol, or a formula of several",
    GREEK: "Greek or IV of an option",
    f"{RESULT}-{ResultOf.ACCOUNT}": "Day P&L of the account",
    f"{RESULT}-{ResultOf.SYMBOL}": "Day P&L of the symbol",
    f"{RESULT}-{ResultOf.STRATEGY}": "Day P&L of a strategy",
    TIME: "A time",
    ORDERS: "News of orders",
}
MODES: Mapping[str, str] = {Mode.SANDBOX: "Sandbox", Mode.LIVE: "Live"}
WHEN: Mapping[str, str] = {
    kind: alert_words.WHEN[kind]
    for kind in (
        AlertWhen.ABOVE, AlertWhen.BELOW, AlertWhen.CROSSES, AlertWhen.CROSSES_UP,
        AlertWhen.CROSSES_DOWN, AlertWhen.ENTERS, AlertWhen.LEAVES,
    )
}  # fmt: skip
MOMENTS: Mapping[str, str] = {
    "daily": "Each trading day at",
    Edge.OPEN: "From the opening",
    Edge.CLOSE: "From the close",
    "at": "Once, on",
}
NEWS: Mapping[str, str] = {
    OrderNews.FILLED: "Filled",
    OrderNews.REJECTED: "Rejected",
    OrderNews.CANCELLED: "Cancelled",
    OrderNews.TRIGGERED: "Stop became active",
    "any": "Any of these",
}
OFTEN: Mapping[str, str] = {"once": "Once", Pace.EVERY: "Each time", Pace.BAR: "Once in a bar"}
NO_ACT, POST, RUN, STOP, ORDER = "none", "post", "run", "stop", "order"
ACTS: Mapping[str, str] = {
    NO_ACT: "Only tells",
    POST: "Posts to a web address",
    RUN: "Runs a strategy",
    STOP: "Stops a strategy",
    ORDER: "Sends an order at market",
}
Check = Callable[[Mapping[str, Any]], bool]


def _is(name: str, *wanted: str) -> Check:
    return lambda values: bool(values[name] in wanted)


def _valued(values: Mapping[str, Any]) -> bool:
    return bool(values["subject"] not in (TIME, ORDERS))


def _of_mode(values: Mapping[str, Any]) -> bool:
    return bool(values["subject"].startswith(RESULT) or values["subject"] == ORDERS)


def _moment(*wanted: str) -> Check:
    return lambda values: bool(values["subject"] == TIME and values["moment"] in wanted)


def _with_secret(values: Mapping[str, Any]) -> bool:
    return bool(values["act"] == POST and values["secret"])


_STRATEGY = f"{RESULT}-{ResultOf.STRATEGY}"

SUBJECT: tuple[Line, ...] = (
    Line("subject", "Look at", "choice", SUBJECTS),
    Line("formula", "Symbol or formula", hint="NSE:SBIN / NSE:HDFCBANK",
         when=_is("subject", COMBINATION)),
    Line("figure", "Figure", "choice", {one: FIGURE_WORDS[one] for one in Figure},
         _is("subject", GREEK)),
    Line("mode", "Of", "choice", MODES, _of_mode),
    Line("strategy", "Strategy", when=_is("subject", _STRATEGY, ORDERS),
         hint="any", tip="Its name, as its orders bear it"),
    Line("news", "News", "choice", NEWS, _is("subject", ORDERS)),
    Line("moment", "When", "choice", MOMENTS, _is("subject", TIME)),
    Line("daily", "Time (IST)", "time", when=_moment("daily")),
    Line("minutes", "Minutes (before: negative)", "number", least=-720, most=720, places=0,
         when=_moment(Edge.OPEN, Edge.CLOSE)),
    Line("at", "Day and time (IST)", hint="2026-12-31 09:20", when=_moment("at")),
    Line("calendar", "Trading days of", when=_moment("daily", Edge.OPEN, Edge.CLOSE)),
    Line("when", "Condition", "choice", WHEN, _valued, first=True),
    Line("level", "Level", "number", least=-1e8, most=1e8, places=4, when=_valued),
    Line("upper", "Second level", "number", least=-1e8, most=1e8, places=4,
         when=lambda v: _valued(v) and AlertWhen(v["when"]).of_channel),
    Line("often", "How often", "choice", OFTEN, first=True),
    Line("span", "Bar", hint="5m", when=_is("often", Pace.BAR)),
    Line("note", "Note"),
    Line("message", "Message", hint="The usual words"),
)  # fmt: skip

ACTING: tuple[Line, ...] = (
    Line("act", "And then", "choice", ACTS, first=True),
    Line("url", "Address", hint="https://…", when=_is("act", POST)),
    Line("body", "JSON (empty: the usual one)", when=_is("act", POST)),
    Line("secret", "Name of a secret", hint="none", when=_is("act", POST),
         tip="A value of the vault that is sent along: as a header, or where the address says "
             "{{secret}}"),
    Line("header", "Header of the secret", hint="Authorization", when=_with_secret),
    Line("secret_value", "The secret itself", "secret", when=_with_secret,
         hint="empty: as it is kept"),
    Line("target", "Strategy", when=_is("act", RUN, STOP)),
    Line("act_mode", "In", "choice", MODES, _is("act", RUN, ORDER)),
    Line("side", "Side", "choice", {one: one.value.title() for one in Action}, _is("act", ORDER),
         first=True),
    Line("quantity", "Quantity, units", "count", least=1, when=_is("act", ORDER)),
    Line("product", "Product", "choice", {one: one.value for one in Product}, _is("act", ORDER)),
    Line("per_day", "Orders a day at most", "count", most=50,
         when=lambda v: v["act"] == ORDER and v["often"] != "once"),
)  # fmt: skip

LINES = (*SUBJECT, *ACTING)
BEGIN: Values = {
    "calendar": "NSE", "daily": "09:20", "minutes": 0, "quantity": 1, "per_day": 1,
    "subject": LTP, "act": NO_ACT, "often": "once", "when": AlertWhen.ABOVE, "moment": "daily",
}  # fmt: skip


def decimal(value: float) -> Decimal:
    """A number of a field without float noise."""
    return Decimal(str(round(value, 6)))


def _time_of(values: Values) -> OfTime:
    moment, calendar = values["moment"], values["calendar"].upper()
    try:
        if moment == "at":
            return OfTime(at=datetime.fromisoformat(values["at"]).replace(tzinfo=IST))
        if moment == "daily":
            return OfTime(daily=time.fromisoformat(values["daily"]), calendar=calendar)
    except ValueError:
        raise InvalidOrder(
            "Time: give HH:MM, with a day such as 2026-12-31 09:20.", field="subject"
        ) from None
    return OfTime(edge=Edge(moment), minutes=int(values["minutes"]), calendar=calendar)


def subject_of(values: Values, account: Callable[[Mode], str]) -> Source:
    """What it looks at. Raises :class:`InvalidOrder`."""
    kind = values["subject"]
    mode = Mode(values["mode"])
    if kind == COMBINATION:
        return OfCombination(values["formula"])
    if kind == GREEK:
        return OfGreek(Figure(values["figure"]))
    if kind == TIME:
        return _time_of(values)
    if kind == ORDERS:
        news = tuple(OrderNews) if values["news"] == "any" else (OrderNews(values["news"]),)
        return OfOrders(mode, news, values["strategy"], account(mode))
    if kind.startswith(RESULT):
        of = ResultOf(kind.removeprefix(f"{RESULT}-"))
        strategy = values["strategy"] if of is ResultOf.STRATEGY else ""
        return OfResult(mode, account(mode), of, strategy)
    return PRICE


def acts_of(values: Values, key: Key, account: Callable[[Mode], str]) -> tuple[Act, ...]:
    """What it does beside telling. Raises :class:`InvalidOrder`."""
    kind, mode = values["act"], Mode(values["act_mode"])
    if kind == POST:
        header = values["header"] or "Authorization"
        return (PostTo(values["url"], values["body"], values["secret"], header),)
    if kind == RUN:
        return (RunStrategy(values["target"], mode, account(mode) if mode is Mode.LIVE else ""),)
    if kind == STOP:
        return (StopStrategy(values["target"]),)
    if kind != ORDER:
        return ()
    if not key[1]:
        raise InvalidOrder("Order: pick the symbol.", field="acts")
    request = OrderRequest(
        key[1], key[0], Action(values["side"]), values["quantity"],
        product=Product(values["product"]),
    )  # fmt: skip
    per_day = values["per_day"] if values["often"] != "once" else 0
    return (SendOrder(request, mode, account(mode), per_day),)


def wish_of(
    values: Values, key: Key, channels: tuple[str, ...], account: Callable[[Mode], str]
) -> AlertWish:
    """The alert that the lines describe. Raises :class:`InvalidOrder` that names the field."""
    subject = subject_of(values, account)
    happens = isinstance(subject, OfTime | OfOrders)
    when = AlertWhen.HAPPENS if happens else AlertWhen(values["when"])
    often = values["often"]
    wish = AlertWish(
        *key,
        when,
        decimal(0 if happens else values["level"]),
        again=often != "once",
        pace=None if often == "once" else Pace(often),
        span=values["span"] if often == Pace.BAR else "",
        subject=subject,
        upper=decimal(values["upper"]) if when.of_channel else None,
        note=values["note"],
        message=values["message"],
        channels=channels,
        acts=acts_of(values, key, account),
    )
    if wish.needs_symbol and not key[1]:
        raise InvalidOrder("Symbol: pick the one that it looks at.", field="symbol")
    return wish


def _subject_values(subject: Source) -> Values:
    match subject:
        case OfCombination():
            return {"subject": COMBINATION, "formula": subject.formula}
        case OfGreek():
            return {"subject": GREEK, "figure": subject.figure}
        case OfResult():
            kind = f"{RESULT}-{subject.of}"
            return {"subject": kind, "mode": subject.mode, "strategy": subject.strategy}
        case OfOrders():
            news = "any" if len(subject.news) > 1 else subject.news[0]
            row = {"mode": subject.mode, "strategy": subject.strategy}
            return {"subject": ORDERS, "news": news, **row}
        case OfTime():
            found: Values = {"subject": TIME, "calendar": subject.calendar}
            if subject.at is not None:
                at = f"{subject.at.astimezone(IST):%Y-%m-%d %H:%M}"
                return found | {"moment": "at", "at": at}
            if subject.daily is not None:
                return found | {"moment": "daily", "daily": f"{subject.daily:%H:%M}"}
            return found | {"moment": subject.edge, "minutes": subject.minutes}
        case _:
            return {"subject": LTP}


def _act_values(acts: tuple[Act, ...]) -> Values:
    match acts[0] if acts else None:
        case PostTo(url=url, body=body, secret=secret, header=header):
            return {"act": POST, "url": url, "body": body, "secret": secret, "header": header}
        case RunStrategy(name=name, mode=mode):
            return {"act": RUN, "target": name, "act_mode": mode}
        case StopStrategy(name=name):
            return {"act": STOP, "target": name}
        case SendOrder(request=row, mode=mode, per_day=per_day):
            return {
                "act": ORDER, "act_mode": mode, "side": row.action, "quantity": row.quantity,
                "product": row.product, "per_day": per_day or 1,
            }  # fmt: skip
        case _:
            return {"act": NO_ACT}


def fits(wish: AlertWish) -> bool:
    """Whether the form has all of a wish: one that has more is not to be cut by it."""
    orders = wish.subject if isinstance(wish.subject, OfOrders) else None
    news = orders is None or len(orders.news) == 1 or set(orders.news) == set(OrderNews)
    alone = wish.against is None and wish.beside is None
    kind = wish.subject == PRICE or wish.needs_bars is False
    return alone and kind and news and len(wish.acts) <= 1


def values_of(wish: AlertWish) -> Values:
    """What stands in the lines."""
    often = "once" if not wish.again else wish.pace or Pace.EVERY
    when = AlertWhen.ABOVE if wish.when is AlertWhen.HAPPENS else wish.when
    return {
        **BEGIN,
        "when": when,
        "level": wish.level,
        "upper": wish.upper or 0,
        "often": often,
        "span": wish.span,
        "note": wish.note,
        "message": wish.message,
        **_subject_values(wish.subject),
        **_act_values(wish.acts),
    }
