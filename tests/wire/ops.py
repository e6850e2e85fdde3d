"""The operations of the recordings: what an adapter is asked to do, the result in uniform form."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import date
from typing import Any

from openalgo_desktop.brokers.kit.account.login import LoginRunner
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.spec import Browser, Login
from openalgo_desktop.core.enums import Action, Interval, OrderStatus
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Order, OrderRequest, closing_order
from openalgo_desktop.trading.position_view import View
from openalgo_desktop.trading.smart import smart_order
from tests.wire.corridor import protected, protected_change
from tests.wire.folders import steps_of
from tests.wire.harness import TAG, Wire, names_of
from tests.wire.uniform import (
    candle_rows,
    depth,
    gtt_request,
    gtt_row,
    holding_row,
    modify_request,
    order_request,
    order_row,
    position_row,
    quote,
    trade_row,
)


async def run(wire: Wire, op: str, given: dict[str, Any]) -> Any:
    """The uniform result of an operation; an error as ``{"error": text}``."""
    try:
        if op in ("login_step", "session_info"):
            return await _step(wire, op, given)
        return await OPS[op](wire, given)
    except AppError as error:
        return {"error": error.message, "class": type(error).__name__}
    finally:
        await wire.rest.close()


async def _step(wire: Wire, op: str, given: dict[str, Any]) -> Any:
    """Intermediate steps have names of their own: ``steps.py`` of the broker's folder."""
    if wire.steps.step is None:
        raise AppError(f"{wire.broker.spec.title}: no steps.py says what {op} is.")
    return await wire.steps.step(wire, op, given)


def chosen_login(
    broker: Broker, given: Mapping[str, Any], session: Mapping[str, Any]
) -> tuple[Login, dict[str, Any]]:
    """The login whose steps want what a recorded input gives, and the values for it: the input
    renamed as the callback would, and what the session knows of the fields."""
    steps = steps_of(names_of(broker.spec))
    if steps.login is not None:
        given = steps.login(given)

    def fits(login: Login) -> int:
        names = {field.name for field in login.fields}
        for step in login.steps:
            if isinstance(step, Browser):
                names |= set(step.gives) | set(step.gives.values())
        return len(names & set(given))

    login = max(broker.spec.logins, key=fits)
    renamed = dict(given)
    for step in login.steps:
        if isinstance(step, Browser):
            renamed |= {
                ours: given[theirs] for theirs, ours in step.gives.items() if theirs in given
            }
    asked = {field.name for field in login.fields}
    return login, {**{k: v for k, v in session.items() if k in asked}, **renamed}


async def _login(wire: Wire, given: dict[str, Any]) -> Any:
    login, values = chosen_login(wire.broker, given, wire.session.context())
    runner = LoginRunner(wire.broker.spec, wire.rest, Session(), wire.clock, wire.api.login_hook)
    values = await runner.run(login, values, None)
    feed = next((n for n in login.session if "feed" in n or "market" in n), "feed_token")
    return {
        "auth_token": values[login.session[0]],
        "feed_token": values.get(feed),
        "client_id": values.get("client_id"),
    }


async def _place(wire: Wire, given: dict[str, Any]) -> Any:
    return {"orderid": await _sent(wire, order_request(given))}


async def _sent(wire: Wire, request: OrderRequest) -> str:
    """Place it as the corridor does: what must not go as a market order goes as a limit."""
    return (await wire.api.place(await protected(wire, request), TAG)).order_id


async def _modify(wire: Wire, given: dict[str, Any]) -> Any:
    request = await protected_change(wire, modify_request(given))
    return {"orderid": (await wire.api.modify(request)).order_id}


async def _cancel(wire: Wire, given: dict[str, Any]) -> Any:
    return {"orderid": (await wire.api.cancel(str(given["orderid"]))).order_id}


async def _cancel_all(wire: Wire, given: dict[str, Any]) -> Any:
    """As the corridor does it: the working rows of the book, one by one."""
    cancelled, failed = [], []
    for order in await wire.api.orders():
        if order.status.is_working and not order.settling:
            try:
                await wire.api.cancel(order.order_id)
                cancelled.append(order.order_id)
            except AppError:
                failed.append(order.order_id)
    return {"cancelled": cancelled, "failed": failed}


async def _net(wire: Wire, request: OrderRequest) -> int:
    return sum(
        p.quantity
        for p in await wire.api.positions()
        if (p.symbol, p.exchange, p.product) == (request.symbol, request.exchange, request.product)
    )


async def _smart(wire: Wire, given: dict[str, Any]) -> Any:
    """The order that leads to the wanted position, by the corridor's own rule."""
    request = order_request({"quantity": 0, **given})
    target = int(given.get("position_size") or 0)
    step = smart_order(request, target, View(await _net(wire, request)))
    if isinstance(step, str):
        return {"orderid": None, "no_action": True}
    return {"orderid": await _sent(wire, step)}


async def _close_all(wire: Wire, given: dict[str, Any]) -> Any:
    """As the corridor does it: the opposite market order of each open row."""
    for position in await wire.api.positions():
        if position.quantity:
            await _sent(wire, closing_order(position))
    return {"ok": True}


async def _orders(wire: Wire, given: dict[str, Any]) -> Any:
    orders = await wire.api.orders()

    def total(wanted: Callable[[Order], bool]) -> int:
        return sum(map(wanted, orders))

    return {
        "rows": [order_row(order) for order in orders],
        "statistics": {
            "total_buy_orders": total(lambda o: o.action == Action.BUY),
            "total_sell_orders": total(lambda o: o.action == Action.SELL),
            "total_completed_orders": total(lambda o: o.status == OrderStatus.COMPLETE),
            "total_open_orders": total(lambda o: o.status.is_working),
            "total_rejected_orders": total(lambda o: o.status == OrderStatus.REJECTED),
        },
    }


async def _trades(wire: Wire, given: dict[str, Any]) -> Any:
    return {"rows": [trade_row(trade) for trade in await wire.api.trades()]}


async def _positions(wire: Wire, given: dict[str, Any]) -> Any:
    return {"rows": [position_row(position) for position in await wire.api.positions()]}


async def _holdings(wire: Wire, given: dict[str, Any]) -> Any:
    holdings = await wire.api.holdings()
    invested = sum(h.average_price * h.quantity for h in holdings)
    profit = sum(h.pnl for h in holdings)
    return {
        "rows": [holding_row(holding) for holding in holdings],
        "statistics": {
            "totalholdingvalue": sum(h.ltp * h.quantity for h in holdings),
            "totalinvvalue": invested,
            "totalprofitandloss": profit,
            "totalpnlpercentage": 100 * profit / invested if invested else 0.0,
        },
    }


async def _funds(wire: Wire, given: dict[str, Any]) -> Any:
    funds = await wire.api.funds()
    return {
        "availablecash": funds.available_cash,
        "collateral": funds.collateral,
        "m2munrealized": funds.m2m_unrealised,
        "m2mrealized": funds.m2m_realised,
        "utiliseddebits": funds.utilised,
    }


async def _margin(wire: Wire, given: dict[str, Any]) -> Any:
    margin = await wire.api.margin([order_request(leg) for leg in given["positions"]])
    return {
        "total_margin_required": margin.total,
        "span_margin": margin.span,
        "exposure_margin": margin.exposure,
        "total_charges": margin.charges,
    }


async def _quotes(wire: Wire, given: dict[str, Any]) -> Any:
    key = (given["exchange"], given["symbol"])
    answer = (await wire.api.quotes([key]))[key]
    if isinstance(answer, AppError):
        raise answer
    return quote(answer)


async def _multiquotes(wire: Wire, given: dict[str, Any]) -> Any:
    keys = [(row["exchange"], row["symbol"]) for row in given["symbols"]]
    rows = []
    for (exchange, symbol), answer in (await wire.api.quotes(keys)).items():
        row: dict[str, Any] = {"symbol": symbol, "exchange": exchange}
        if isinstance(answer, AppError):
            row["error"] = answer.message
        else:
            row["data"] = quote(answer)
        rows.append(row)
    return {"rows": rows}


async def _depth(wire: Wire, given: dict[str, Any]) -> Any:
    return depth(await wire.api.depth((given["exchange"], given["symbol"])))


async def _history(wire: Wire, given: dict[str, Any]) -> Any:
    bars = await wire.api.history(
        (given["exchange"], given["symbol"]),
        Interval(given["interval"]),
        date.fromisoformat(given["start_date"]),
        date.fromisoformat(given["end_date"]),
    )
    return {"rows": candle_rows(bars)}


async def _gtt_place(wire: Wire, given: dict[str, Any]) -> Any:
    return {"trigger_id": (await wire.api.gtt_place(gtt_request(given), TAG)).order_id}


async def _gtt_modify(wire: Wire, given: dict[str, Any]) -> Any:
    ack = await wire.api.gtt_modify(str(given["trigger_id"]), gtt_request(given))
    return {"trigger_id": ack.order_id}


async def _gtt_cancel(wire: Wire, given: dict[str, Any]) -> Any:
    return {"trigger_id": (await wire.api.gtt_cancel(str(given["trigger_id"]))).order_id}


async def _gtt_book(wire: Wire, given: dict[str, Any]) -> Any:
    return {"rows": [gtt_row(gtt) for gtt in await wire.api.gtt_orders()]}


OPS: dict[str, Callable[[Wire, dict[str, Any]], Coroutine[Any, Any, Any]]] = {
    "login": _login,
    "place_order": _place,
    "modify_order": _modify,
    "cancel_order": _cancel,
    "cancel_all_orders": _cancel_all,
    "close_all_positions": _close_all,
    "smart_order": _smart,
    "order_book": _orders,
    "trade_book": _trades,
    "positions": _positions,
    "holdings": _holdings,
    "funds": _funds,
    "margin": _margin,
    "quotes": _quotes,
    "multiquotes": _multiquotes,
    "depth": _depth,
    "history": _history,
    "gtt_place": _gtt_place,
    "gtt_modify": _gtt_modify,
    "gtt_cancel": _gtt_cancel,
    "gtt_book": _gtt_book,
}
