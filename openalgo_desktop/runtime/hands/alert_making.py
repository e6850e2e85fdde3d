"""Alerts made without a window, and what they do beside telling."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from openalgo_desktop.automation.alerts.webhook import SCOPE
from openalgo_desktop.core.alert_acts import Act, PostTo, RunStrategy, SendOrder, StopStrategy
from openalgo_desktop.core.alert_subjects import (
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
from openalgo_desktop.core.alerts import PRICE, AlertWhen, AlertWish, Pace, PriceAlert, Source
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import ConfigError, NotConnected
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.runtime.hands.ports import Owned, Result

E = TypeVar("E", bound=StrEnum)

_RESULTS = {
    "pnl": ResultOf.ACCOUNT,
    "pnl-symbol": ResultOf.SYMBOL,
    "pnl-strategy": ResultOf.STRATEGY,
}


async def alerts_add(owned: Owned, data: dict[str, Any]) -> Result:
    """Watch for something and tell."""
    exchange, _, symbol = data["symbol"].partition(":")
    if data["symbol"] and not symbol:
        raise ConfigError(f"symbol: write {data['symbol']} with its exchange, such as NSE:SBIN.")
    repeat = data["repeat"]
    wish = AlertWish(
        exchange,
        symbol,
        _word(AlertWhen, data["when"], "when"),
        _number(data["level"], "level"),
        again=repeat in ("every", "bar"),
        pace={"every": Pace.EVERY, "bar": Pace.BAR}.get(repeat),
        subject=_subject(owned, data),
        against=OfCombination(data["against"]) if data["against"] else None,
        span=data["span"],
        note=data["note"],
        message=data["message"],
    )
    if data["tell"]:
        wish = msgspec.structs.replace(wish, channels=tuple(data["tell"]))
    made = await owned.alerts.add(wish)
    return Result(f"Alert {made.alert_id}: {owned.alerts.words.describe(made.wish)}.")


def _word(kind: type[E], text: str, name: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"{name}: {text!r} must be one of: {', '.join(kind)}.") from None


def _number(text: str, name: str) -> Decimal:
    try:
        return Decimal(text or 0)
    except InvalidOperation:
        raise ConfigError(f"{name}: {text!r} is no number.") from None


def _subject(owned: Owned, data: dict[str, Any]) -> Source:
    of = data["of"] or "price"
    if of == "price":
        return PRICE
    if of in tuple(Figure):
        return OfGreek(Figure(of))
    if of in _RESULTS:
        mode = _mode(data)
        account = data["account"] or _account(owned, mode)
        return OfResult(mode, account, _RESULTS[of], data["strategy"])
    if of == "orders":
        news = tuple(_word(OrderNews, text, "news") for text in data["news"] or ["filled"])
        return OfOrders(_mode(data), news, data["strategy"], data["account"])
    return _time(data) if of == "time" else OfCombination(of)


def _mode(data: dict[str, Any]) -> Mode:
    if not data["mode"]:
        raise ConfigError("mode: say sandbox or live; P&L and orders are of one of them.")
    return Mode(data["mode"])


def _account(owned: Owned, mode: Mode) -> str:
    """The account that serves a mode now; raises :class:`NotConnected`."""
    account = owned.desk.bound(mode).gateway.account_id
    if not account:
        raise NotConnected(f"No account serves {mode.value} now.")
    return account


def _time(data: dict[str, Any]) -> OfTime:
    calendar = data["symbol"].partition(":")[0] or "NSE"
    for name, edge in (("open", Edge.OPEN), ("close", Edge.CLOSE)):
        if data[name]:
            return OfTime(edge=edge, minutes=int(_number(data[name], name)), calendar=calendar)
    try:
        if "T" in data["at"]:
            moment = datetime.fromisoformat(data["at"])
            return OfTime(at=moment if moment.tzinfo else moment.replace(tzinfo=IST))
        return OfTime(daily=time.fromisoformat(data["at"]), calendar=calendar)
    except ValueError:
        raise ConfigError(
            f"at: {data['at']!r} is no time. Write 2026-12-01T10:30 or 09:20."
        ) from None


# -- acts -----------------------------------------------------------------------------------
async def _with(
    owned: Owned, data: dict[str, Any], change: Callable[[tuple[Act, ...]], tuple[Act, ...]]
) -> PriceAlert:
    alert = owned.alerts.get(data["id"])
    wish = msgspec.structs.replace(alert.wish, acts=change(alert.wish.acts))
    return await owned.alerts.change(alert.alert_id, wish)


async def alerts_post(owned: Owned, data: dict[str, Any]) -> Result:
    """Have it post JSON."""
    act = PostTo(data["url"], data["body"], data["secret"], data["header"] or "Authorization")
    made = await _with(owned, data, lambda acts: (*acts, act))
    return Result(f"Alert {made.alert_id} posts when it tells.")


async def alerts_secret(owned: Owned, data: dict[str, Any]) -> Result:
    """Keep, or forget, the secret of a post."""
    name = data["name"]
    if not data["value"]:
        await owned.vault.delete(SCOPE + name)
        return Result(f"The secret {name} is forgotten.")
    await owned.vault.set(SCOPE + name, Secret(data["value"]))
    return Result(f"The secret {name} is in the vault.")


async def alerts_order(owned: Owned, data: dict[str, Any]) -> Result:
    """Have it send an order, in the account that serves the mode now."""
    exchange, _, symbol = data["symbol"].partition(":")
    mode, price = Mode(data["mode"]), float(_number(data["price"], "price"))
    request = OrderRequest(
        symbol,
        exchange,
        Action(data["action"]),
        data["quantity"],
        PriceType.LIMIT if price else PriceType.MARKET,
        Product(data["product"] or Product.MIS.value),
        price,
        strategy=data["strategy"],
    )
    act = SendOrder(request, mode, _account(owned, mode), data["per_day"])
    made = await _with(owned, data, lambda acts: (*acts, act))
    return Result(
        f"Alert {made.alert_id} sends it in {mode.value} mode of {act.account}, once for each time "
        "that it is seen to become true."
    )


async def alerts_run(owned: Owned, data: dict[str, Any]) -> Result:
    """Have it start a strategy."""
    mode = Mode(data["mode"])
    act = RunStrategy(data["name"], mode, _account(owned, mode) if mode is Mode.LIVE else "")
    made = await _with(owned, data, lambda acts: (*acts, act))
    where = f" of {act.account}" if act.account else ""
    return Result(f"Alert {made.alert_id} starts {act.name} in {mode.value} mode{where}.")


async def alerts_stop(owned: Owned, data: dict[str, Any]) -> Result:
    """Have it stop a strategy."""
    made = await _with(owned, data, lambda acts: (*acts, StopStrategy(data["name"])))
    return Result(f"Alert {made.alert_id} stops {data['name']}.")


async def alerts_disarm(owned: Owned, data: dict[str, Any]) -> Result:
    """Take all acts from it."""
    made = await _with(owned, data, lambda acts: ())
    return Result(f"Alert {made.alert_id} only tells.")
