"""Invariants of money, fills and positions: see :mod:`tests.api.golden_checks`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY
from tests.api.golden_case import Case, fixture_rows
from tests.api.golden_checks import Ask

#: Money of a new paper account, rupees.
START = 10_000_000.0
_PAISA = 0.011
_HALF_PAISA = 0.0051
#: Rows of the position book are rounded each, sums once; rupees.
_ROUNDED = 0.04
_SIGN = {"BUY": 1, "SELL": -1}
#: Times by which the value of a position or order may exceed its margin in the sandbox.
_LEVERAGE = {"equity_mis": 5.0, "futures": 10.0}


# -- money ----------------------------------------------------------------------------------
def _times(exchange: str, symbol: str, product: str) -> float:
    if exchange in ("NSE", "BSE"):
        return _LEVERAGE["equity_mis"] if product == "MIS" else 1.0
    return _LEVERAGE["futures"] if symbol.endswith("FUT") else 1.0


def _blocked(row: dict[str, Any], quantity: float, price: float) -> float:
    return abs(quantity) * price / _times(row["exchange"], row["symbol"], row["product"])


def margin_of(body: Any, case: Case) -> Any:
    """The sandbox's margin table: value at the order's price, or the last one, over leverage. A
    leg with an unknown symbol counts nothing, as recorded."""
    prices = {(row["exchange"], row["symbol"]): row["ltp"] for row in fixture_rows()}
    total = 0.0
    for leg in case.fields["positions"]:
        price = float(leg.get("price") or 0) or prices.get((leg["exchange"], leg["symbol"]), 0.0)
        if (leg["exchange"], leg["symbol"]) in prices:
            total += _blocked(leg, float(leg["quantity"]), price)
    total = round(total, 2)
    body["data"] = {"total_margin_required": total, "span_margin": total, "exposure_margin": 0.0}
    return body


def _checked_at(order: dict[str, Any]) -> float:
    """The price that an order's margin is of: trigger, limit, or the last one for MARKET."""
    name = "trigger_price" if order["pricetype"].startswith("SL") else "price"
    return float(order[name])


def _position_margin(trades: list[dict[str, Any]], orders: list[dict[str, Any]]) -> float:
    """What open positions keep: margin comes with each opening fill, at the price at which its
    order was checked, and goes in proportion."""
    basis = {order["orderid"]: _checked_at(order) for order in orders}
    held: dict[tuple[str, str], tuple[float, float]] = {}  # units, margin
    for trade in trades:
        key = (trade["symbol"], trade["product"])
        units, margin = held.get(key, (0.0, 0.0))
        signed = trade["quantity"] * _SIGN[trade["action"]]
        closing = min(abs(units), abs(signed)) if units * signed < 0 else 0.0
        if closing:
            margin -= margin * closing / abs(units)
        margin += _blocked(trade, abs(signed) - closing, basis[trade["orderid"]])
        held[key] = (units + signed, margin)
    return sum(margin for _, margin in held.values())


def paper_funds(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Cash and what is blocked are the starting money and what was realised; what is blocked is
    what the open positions and the resting orders need; the profit is that of the positions."""
    data = {name: float(value) for name, value in body["data"].items() if name in _NUMBERS}
    used, cash = data["utiliseddebits"], data["availablecash"]
    realised = data["total_realized_pnl"]
    if data["grossexposure"] != used:
        yield f"exposure {data['grossexposure']}, {used} is blocked"
    if not data["m2mrealized"] == data["today_realized_pnl"] == realised:  # of one day
        yield f"realised in three forms: {data}"
    if abs(realised + data["m2munrealized"] - data["totalpnl"]) > _PAISA:
        yield f"realised and open profit are not the total: {data}"
    if abs(cash + used - START - realised) > _PAISA:
        yield f"cash {cash} and blocked {used} are not {START} and {realised} realised"
    book = ask("positionbook", {})
    orders = ask("orderbook", {})["data"]["orders"]
    held = {(row["symbol"], row["product"]): float(row["quantity"]) for row in book["data"]}
    trades = sorted(ask("tradebook", {})["data"], key=lambda t: t["tradeid"])
    wanted = _position_margin(trades, orders) + sum(
        _blocked(row, row["pending_quantity"], _checked_at(row))
        for row in orders
        if row["order_status"] in ("open", "trigger pending")
        and held.get((row["symbol"], row["product"]), 0.0) * _SIGN[row["action"]] >= 0
    )
    if abs(used - wanted) > _PAISA * max(1, len(trades)):
        yield f"{used} is blocked, positions and orders need {wanted:.2f}"
    if abs(realised - book["total_today_realized_pnl"]) > _ROUNDED:
        yield f"realised {realised}, positions say {book['total_today_realized_pnl']}"
    if abs(data["m2munrealized"] - book["total_unrealized_pnl"]) > _ROUNDED:
        yield f"unrealised {data['m2munrealized']}, positions say {book['total_unrealized_pnl']}"
    if abs(data["totalpnl"] - book["total_pnl_today"]) > _ROUNDED:
        yield f"profit {data['totalpnl']}, positions say {book['total_pnl_today']}"


_NUMBERS = (
    *("availablecash", "utiliseddebits", "grossexposure", "m2mrealized", "m2munrealized"),
    *("totalpnl", "today_realized_pnl", "total_realized_pnl"),
)


_AVAILABLE = re.compile(r"Available: ₹(-?[\d.]+)")


def available(body: Any, ask: Ask) -> Iterator[str]:
    """The money that a refusal names is what ``funds`` says: the refusal changed nothing."""
    text = body.get("message") if isinstance(body, dict) else None
    match = _AVAILABLE.search(text) if isinstance(text, str) else None
    if match is not None:
        cash = float(ask("funds", {})["data"]["availablecash"])
        if float(match[1]) != cash:
            yield f"{text!r}, funds say {cash}"


def live_funds(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """The account's own sums agree with its positions."""
    data = {name: float(value) for name, value in body["data"].items()}
    rows = ask("positionbook", {})["data"]
    profit = sum(float(row["pnl"]) for row in rows)
    if abs(data["m2mrealized"] + data["m2munrealized"] - profit) > 0.02 * max(1, len(rows)):
        yield f"realised and unrealised of {data} are not the positions' {profit:.2f}"
    if abs(data["availablecash"] + data["utiliseddebits"] - START - data["m2mrealized"]) > _PAISA:
        yield f"cash and blocked of {data} are not {START} and what was realised"


# -- fills ----------------------------------------------------------------------------------
def fills(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """A buyer pays the ask, a seller gets the bid: one tick from the last price in the standing
    market of the replay."""
    prices = {row["symbol"]: (row["ltp"], row["tick_size"]) for row in fixture_rows()}
    for row in body["data"]:
        last, tick = prices[row["symbol"]]
        side = 1 if row["action"] == "BUY" else -1
        if abs(row["average_price"] - (last + side * tick)) > 1e-6:
            yield f"{row['action']} of {row['symbol']} at {row['average_price']}, last {last}"
        if abs(row["trade_value"] - row["average_price"] * row["quantity"]) > 1e-6:
            yield f"value of {row} is not quantity times price"


def exact_positions(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Averages and profits of the paper account are those of the trades, to the last decimal."""
    trades = sorted(ask("tradebook", {})["data"], key=lambda t: t["tradeid"])  # counted up
    for row in body["data"]:
        own = [t for t in trades if (t["symbol"], t["product"]) == (row["symbol"], row["product"])]
        units, cost, realised = 0.0, 0.0, 0.0
        for trade in own:
            signed = trade["quantity"] * _SIGN[trade["action"]]
            closing = min(abs(units), abs(signed)) if units * signed < 0 else 0.0
            side = 1.0 if units > 0 else -1.0
            if closing:
                share = cost * closing / abs(units)
                realised += side * (trade["price"] * closing - share)
                cost, units = cost - share, units - side * closing
            cost += trade["price"] * (abs(signed) - closing)
            units += (1.0 if signed > 0 else -1.0) * (abs(signed) - closing)
        average = round(cost / abs(units), 4) if units else 0.0
        if units != row["quantity"] or abs(row["average_price"] - average) > 1e-6:
            yield f"average of {row}, by its trades {units} at {average}"
        open_profit = row["ltp"] * units - cost * (1 if units > 0 else -1)
        if abs(row["unrealized_pnl"] - open_profit) > _PAISA:
            yield f"open profit of {row}, by its trades {open_profit:.4f}"
        if abs(row["today_realized_pnl"] - realised) > _PAISA * max(1, len(own)):
            yield f"realised of {row}, by its trades {realised:.4f}"
        if abs(row["pnl"] - row["unrealized_pnl"] - row["today_realized_pnl"]) > _PAISA:
            yield f"profit of {row} is not its parts"
        if row["total_pnl_today"] != row["pnl"]:
            yield f"profit of {row} in two forms"
    for total, name in _TOTALS.items():
        parts = sum(row[name] for row in body["data"])
        if abs(body[total] - parts) > _HALF_PAISA * (len(body["data"]) + 1):
            yield f"{total} is {body[total]}, the rows make {parts:.2f}"


_TOTALS = {
    "total_pnl": "pnl",
    "total_pnl_today": "total_pnl_today",
    "total_unrealized_pnl": "unrealized_pnl",
    "total_today_realized_pnl": "today_realized_pnl",
}


def live_positions(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Profit is what the trades took and paid, open units at the last price, which is at most a
    tick from the standing one."""
    trades = ask("tradebook", {})["data"]
    prices = {row["symbol"]: (row["ltp"], row["tick_size"]) for row in fixture_rows()}
    for row in body["data"]:
        own = [t for t in trades if (t["symbol"], t["product"]) == (row["symbol"], row["product"])]
        cash = sum(t["trade_value"] * (1 if t["action"] == "SELL" else -1) for t in own)
        worth = float(row["quantity"]) * float(row["ltp"])
        if abs(cash + worth - float(row["pnl"])) > _HALF_PAISA:
            yield f"profit of {row}, by its trades {cash + worth:.2f}"
        last, _ = prices[row["symbol"]]
        stands = last if row["quantity"] else own[-1]["average_price"]  # the newest trade
        if float(row["ltp"]) != stands:
            yield f"last price of {row}, wanted {stands}"
        text = f"{_open_average(own):.4f}"
        text = text[:-2] if text.endswith("00") else text.rstrip("0")
        if row["average_price"] != text:
            yield f"average of {row}, by its trades {text}"


def _open_average(trades: list[dict[str, Any]]) -> float:
    """What the open units of one position cost on average; oldest trade first."""
    units, cost = 0.0, 0.0
    for trade in trades:
        signed = trade["quantity"] * _SIGN[trade["action"]]
        closing = min(abs(units), abs(signed)) if units * signed < 0 else 0.0
        if closing:
            cost -= cost * closing / abs(units)
        cost += trade["average_price"] * (abs(signed) - closing)
        units += signed
    return cost / abs(units) if units else 0.0


def live_order(row: dict[str, Any], case: Case, ask: Ask) -> Iterator[str]:
    """What only we tell of a live order is what its trades and its request say."""
    own = [t for t in ask("tradebook", {})["data"] if t["orderid"] == row["orderid"]]
    filled = sum(t["quantity"] for t in own)
    average = sum(t["trade_value"] for t in own) / filled if filled else 0.0
    if row["filled_quantity"] != filled or abs(row["average_price"] - average) > 1e-6:
        yield f"fills of {row}, by its trades {filled} at {average}"
    if row["pending_quantity"] != (row["quantity"] - filled):
        yield f"pending of {row}"
    if bool(row["rejection_reason"]) is not (row["order_status"] == "rejected"):
        yield f"reason of {row}"
    names = {str(one.fields.get("strategy")) for one in case.before}
    if any(one.endpoint == "closeposition" for one in case.before):
        names.add(SQUARE_OFF_STRATEGY)
    if row["strategy"] not in names:
        yield f"strategy of {row}"


def live_orders(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """:func:`live_order` of every row of the order book."""
    for row in body["data"]["orders"]:
        yield from live_order(row, case, ask)


def live_status(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """:func:`live_order` of one order, whose type has two names."""
    yield from live_order(body["data"], case, ask)
    yield from two_names(body, case, ask)


def two_names(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """``pricetype`` and ``price_type`` say the same."""
    if body["data"]["pricetype"] != body["data"]["price_type"]:
        yield f"two types: {body['data']}"


def closing_orders(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """The ids are those of filled orders that only we sent, once each."""
    ids = body.get("orderids", [])
    orders = {order["orderid"]: order for order in ask("orderbook", {})["data"]["orders"]}
    if len(ids) < body.get("closed_positions", 1) or len(set(ids)) != len(ids):
        yield f"ids of the closing orders: {ids}"
    if ids and not body.get("closed_positions", 1):
        yield f"nothing was closed by {ids}"
    if not any(one.endpoint == "closeposition" and one.ok for one in case.before):
        sent = {key for key, one in orders.items() if one["strategy"] == SQUARE_OFF_STRATEGY}
        if set(ids) != sent:
            yield f"{ids}, sent were {sorted(sent)}"
    for order_id in ids:
        order = orders.get(order_id, {})
        if order.get("order_status") != "complete" or order.get("pricetype") != "MARKET":
            yield f"{order_id} is no closing order: {order}"


def order_average(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """The average of an order is that of its trades."""
    data = body["data"]
    own = [t for t in ask("tradebook", {})["data"] if t["orderid"] == data["orderid"]]
    units = sum(t["quantity"] for t in own)
    average = sum(t["trade_value"] for t in own) / units if units else 0.0
    if abs(average - float(data["average_price"])) > 1e-6:
        yield f"average {data['average_price']}, by the trades {average}"


def all_cancelled(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """What is listed is cancelled, the message counts it, and nothing works any more."""
    status = {o["orderid"]: o["order_status"] for o in ask("orderbook", {})["data"]["orders"]}
    ids = body["canceled_orders"]
    if len(set(ids)) != len(ids) or any(status.get(one) != "cancelled" for one in ids):
        yield f"{ids} are not all cancelled: {status}"
    if body["message"] != f"Canceled {len(ids)} orders. Failed to cancel 0 orders.":
        yield f"message {body['message']!r} of {len(ids)} orders"
    if {"open", "trigger pending"} & set(status.values()):
        yield f"orders still work: {status}"
