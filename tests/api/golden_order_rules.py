"""Differences of orders and books that are kept on purpose; a part of the table of
``golden_rules``. Most depend on what was done earlier in the same transcript."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.api import golden_checks as checks
from tests.api import golden_money as money
from tests.api.golden_case import Case, tick_sizes
from tests.api.golden_compare import Freedom
from tests.api.golden_rule import Rule, error

_MONEY = ("availablecash", "grossexposure", "utiliseddebits")
_PLACING = ("placeorder", "placesmartorder", "basketorder", "splitorder", "optionsorder")


# -- what came before -----------------------------------------------------------------------
def _earlier(case: Case, *endpoints: str) -> list[Case]:
    return [row for row in case.before if row.endpoint in endpoints and row.ok]


def _smart_with_price(case: Case) -> list[Case]:
    """Earlier smart orders that asked for another price type than MARKET."""
    return [
        row
        for row in _earlier(case, "placesmartorder")
        if row.fields.get("pricetype", "MARKET") != "MARKET" and "orderid" in row.body
    ]


def _rests(order: dict[str, Any]) -> bool:
    return order.get("pricetype", "MARKET") != "MARKET"


def _kept_margin(case: Case) -> bool:
    """Whether the reference lost or forgot margin earlier: of resting orders at a fill, of a
    modified order, of a position that was turned round."""
    if _earlier(case, "modifyorder"):
        return True
    orders = [
        order
        for row in _earlier(case, *_PLACING)
        for order in row.fields.get("orders", [row.fields])
    ]
    if len(orders) > 1 and any(map(_rests, orders)):
        return True
    net: dict[tuple[str, str], float] = {}
    for order in orders:
        if not _rests(order) and "symbol" in order:
            key = (order["symbol"], order.get("product", ""))
            sign = 1 if str(order["action"]).upper() == "BUY" else -1
            before = net.get(key, 0.0)
            net[key] = before + sign * float(order["quantity"])
            if before * net[key] < 0:
                return True
    return False


def _unread_positions(case: Case) -> bool:
    """Whether nobody read the position book since the last order."""
    for row in reversed(case.before):
        if row.endpoint == "positionbook":
            return False
        if row.endpoint in (*_PLACING, "closeposition", "optionsmultiorder") and row.ok:
            return True
    return False


def _averaged(case: Case) -> bool:
    """Whether one side of a position was filled more than once before."""
    seen: set[tuple[Any, ...]] = set()
    for row in _earlier(case, *_PLACING):
        for order in row.fields.get("orders", [row.fields]):
            side = tuple(order.get(name) for name in ("symbol", "product", "action"))
            if side in seen or row.endpoint == "splitorder":
                return True
            seen.add(side)
    return False


def _another_order(case: Case) -> bool:
    return bool(checks.changed(case))


def _sent_at_market(case: Case) -> bool:
    """Whether the order was changed to MARKET before."""
    return any(
        row.fields.get("orderid") == case.fields.get("orderid")
        and row.fields.get("pricetype") == "MARKET"
        for row in _earlier(case, "modifyorder")
    )


# -- edits ----------------------------------------------------------------------------------
def _honoured(body: Any, case: Case) -> Any:
    """Order book rows of earlier smart orders with a price: they rest."""
    wanted = {row.body["orderid"]: row.fields for row in _smart_with_price(case)}
    for order in body["data"]["orders"]:
        fields = wanted.get(order["orderid"])
        if fields is None:
            continue
        order |= {
            "order_status": "open",
            "pricetype": fields["pricetype"],
            "price": float(fields["price"]),
            "average_price": 0.0,
            "pending_quantity": order["quantity"],
            "filled_quantity": 0,
        }
        body["data"]["statistics"]["total_completed_orders"] -= 1
        body["data"]["statistics"]["total_open_orders"] += 1
    return body


def _without_trades(body: Any, case: Case) -> Any:
    gone = {row.body["orderid"] for row in _smart_with_price(case)}
    body["data"] = [row for row in body["data"] if row["orderid"] not in gone]
    return body


def _without_positions(body: Any, case: Case) -> Any:
    gone = {row.fields["symbol"] for row in _smart_with_price(case)}
    rows = [row for row in body["data"] if row["symbol"] not in gone]
    body["data"] = rows
    body["total_unrealized_pnl"] = sum(row["unrealized_pnl"] for row in rows if row["quantity"])
    body["total_today_realized_pnl"] = sum(row["today_realized_pnl"] for row in rows)
    body["total_pnl"] = body["total_unrealized_pnl"] + body["total_today_realized_pnl"]
    body["total_pnl_today"] = body["total_pnl"]
    return body


def _stops_cancelled(body: Any) -> Any:
    for order in body["data"]["orders"]:
        if order["order_status"] == "trigger pending":
            order["order_status"] = "cancelled"
    body["data"]["statistics"]["total_trigger_pending_orders"] = 0
    return body


def _off_tick(case: Case) -> bool:
    """Whether a price of the request is not a multiple of the tick of its symbol."""
    fields = case.fields
    tick = tick_sizes().get(f"{fields.get('exchange')}:{fields.get('symbol')}", 0.0)
    prices = [fields.get("price"), fields.get("trigger_price")]
    return tick > 0 and any(
        isinstance(price, int | float) and abs(price / tick - round(price / tick)) > 1e-6
        for price in prices
    )


def _nearest_ticks(body: Any, case: Case) -> Any:
    """The refusal of the first price that is off the tick."""
    fields = case.fields
    tick = Decimal(str(tick_sizes()[f"{fields['exchange']}:{fields['symbol']}"]))
    for name, text in (("price", "Price"), ("trigger_price", "Trigger price")):
        price = Decimal(str(fields.get(name) or 0))
        if price % tick:
            below = price // tick * tick
            return error(
                f"{text} {price} is not a multiple of the tick size {tick} of {fields['symbol']}. "
                f"Nearest: {below:.2f} or {below + tick:.2f}.",
                mode="analyze",
            )
    raise AssertionError("no price is off the tick")


def _on_index(case: Case) -> bool:
    return str(case.fields.get("exchange")).endswith("_INDEX") and not case.live


ORDER_RULES: tuple[Rule, ...] = (
    Rule(
        "place*order",
        "the symbol is an index",
        "400 that says so",
        "the reference accepts it; an index cannot be traded",
        when=lambda case: case.ok and _on_index(case),
        status=400,
        edit=lambda body, case: error(
            f"{case.fields['symbol']} is an index and cannot be traded. "
            "Trade its futures or options.",
            mode="analyze",
        ),
    ),
    Rule(
        "*order",
        "a price that is not a multiple of the tick size",
        "400 that names the two nearest prices",
        "the reference accepts it; an exchange does not, and the trader decides which way",
        when=lambda case: case.ok and _off_tick(case),
        status=400,
        edit=_nearest_ticks,
    ),
    Rule(
        "modifyorder",
        "another symbol, exchange, action or product than that of the order",
        "400 that names the field",
        "the reference answers success and changes nothing",
        when=lambda case: case.ok and not case.live and _another_order(case),
        status=400,
        edit=lambda body, case: error(
            f"{checks.changed(case)}. Cancel it and place a new one.", mode="analyze"
        ),
    ),
    Rule(
        "modifyorder",
        "the order was changed to MARKET before",
        "400 `Cannot modify order in complete status`: it was sent at market",
        "the reference answers success to that change and does nothing",
        when=lambda case: case.ok and not case.live and _sent_at_market(case),
        status=400,
        body=error("Cannot modify order in complete status", mode="analyze"),
    ),
    Rule(
        "cancelallorder",
        "stop orders are waiting for their trigger",
        "they are cancelled, too",
        "the reference looks for a status that it never stores",
        when=lambda case: (
            case.ok
            and any(
                str(row.fields.get("pricetype", "")).startswith("SL")
                for row in _earlier(case, "placeorder")
            )
            and bool(case.body["canceled_orders"])
        ),
        freedom=Freedom(free=("message", "canceled_orders[*]"), any_length=("canceled_orders",)),
        check=money.all_cancelled,
    ),
    Rule(
        "closeposition",
        "positions were closed",
        "also `orderids`: all closing orders, and `failures` with symbol and reason of each that "
        "failed",
        "the reference names none of the orders that it sent",
        when=lambda case: case.ok and "No open positions" not in str(case.message),
        freedom=Freedom(extra=("orderids",)),
        check=money.closing_orders,
    ),
    Rule(
        "orderbook",
        "after `cancelallorder`",
        "stop orders are `cancelled`",
        "the reference leaves them `trigger pending`",
        when=lambda case: case.ok and not case.live and bool(_earlier(case, "cancelallorder")),
        change=_stops_cancelled,
    ),
    Rule(
        "orderbook",
        "after a smart order with `pricetype` LIMIT, SL or SL-M",
        "the order is of that type and rests",
        "the reference reads another field and sends it at market",
        when=lambda case: case.ok and bool(_smart_with_price(case)),
        edit=_honoured,
    ),
    Rule(
        "tradebook",
        "after a smart order with `pricetype` LIMIT, SL or SL-M",
        "no trade until its price is reached",
        "the reference sends it at market",
        when=lambda case: case.ok and bool(_smart_with_price(case)),
        edit=_without_trades,
    ),
    Rule(
        "positionbook",
        "after a smart order with `pricetype` LIMIT, SL or SL-M",
        "no position until its price is reached",
        "the reference sends it at market",
        when=lambda case: case.ok and bool(_smart_with_price(case)),
        edit=_without_positions,
    ),
    Rule(
        "funds",
        "after a smart order with `pricetype` LIMIT, SL or SL-M",
        "margin of the resting order, no profit or loss of it",
        "the reference sends it at market",
        when=lambda case: case.ok and bool(_smart_with_price(case)),
        freedom=Freedom(free=[f"data.{name}" for name in (*_MONEY, "m2munrealized", "totalpnl")]),
        check=money.paper_funds,
    ),
    Rule(
        "funds",
        "analyze mode, after orders rested beside others that filled, were modified, or turned a "
        "position round",
        "their margin stays blocked in full",
        "the reference gives margin of resting orders back at any fill, does not follow a "
        "modification, and scales the margin of a turned position down twice",
        when=lambda case: case.ok and not case.live and _kept_margin(case),
        freedom=Freedom(free=[f"data.{name}" for name in _MONEY]),
        check=money.paper_funds,
    ),
    Rule(
        "funds",
        "analyze mode, positions changed since the position book was read",
        "`m2munrealized` and `totalpnl` are of now",
        "the reference updates them only when the position book is read",
        when=lambda case: case.ok and not case.live and _unread_positions(case),
        freedom=Freedom(free=("data.m2munrealized", "data.totalpnl")),
        check=money.paper_funds,
    ),
    Rule(
        "funds",
        "analyze mode, averages of several fills",
        "profit is of the exact average",
        "the reference rounds the average to paise first",
        when=lambda case: case.ok and not case.live and _averaged(case),
        freedom=Freedom(
            near=[
                (f"data.{name}", 0.06)
                for name in (
                    "availablecash",
                    "m2mrealized",
                    "m2munrealized",
                    "today_realized_pnl",
                    "total_realized_pnl",
                    "totalpnl",
                )
            ]
        ),
        check=money.paper_funds,
    ),
    Rule(
        "positionbook",
        "analyze mode, averages of several fills",
        "the average has the decimals of a price (four), and profit is of the exact one",
        "the reference rounds the average to paise first",
        when=lambda case: case.ok and not case.live and _averaged(case),
        freedom=Freedom(
            near=[
                ("data[*].average_price", 0.00501),
                *(
                    (f"{where}{name}", 0.06)
                    for where, names in (
                        ("data[*].", ("pnl", "today_realized_pnl", "total_pnl_today")),
                        ("data[*].", ("unrealized_pnl",)),
                        (
                            "",
                            (
                                "total_pnl",
                                "total_pnl_today",
                                "total_today_realized_pnl",
                                "total_unrealized_pnl",
                            ),
                        ),
                    )
                    for name in names
                ),
                ("data[*].pnlpercent", 0.001),
            ]
        ),
        check=money.exact_positions,
    ),
    Rule(
        "gttorderbook",
        "several GTTs",
        "newest first",
        "the reference does not order those of one second",
        when=lambda case: case.ok and len(case.body["data"]) > 1,
        freedom=Freedom(by_id=("data",)),
    ),
)
