"""Where the sandbox does not follow a recorded case, and what it does instead.

A case that carries ``reference_defect`` falls under the first rule of :data:`RULES` that fits it;
one without falls under a rule only when ``unmarked`` finds the very figures that a defect named by
the material leaves behind. ``spoils`` names the recorded values that the defect made wrong: they
are not compared; everything else is. ``check`` looks at our result instead, and
after every step of every case the runner checks the money against an independent count.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openalgo_desktop.core.enums import Action, GttStatus, PriceType, Product

if TYPE_CHECKING:
    from tests.unit.sandbox.vector_runner import Run

Case = dict[str, Any]
Check = Callable[["Run", Case], Awaitable[None] | None]

MONEY = frozenset({"funds"})
MARGINS = frozenset({"funds.available", "funds.used_margin", "positions.margin_blocked"})
BOOKS = frozenset({"orders", "trades", "positions", "funds", "results", "gtts", "holdings"})


@dataclass(frozen=True)
class Rule:
    """One defect of the reference: which cases show it, what it spoils, what is right."""

    name: str
    reason: str
    fits: Callable[[Case], bool]
    spoils: frozenset[str]
    check: Check
    unmarked: Callable[[Case], bool] = lambda case: False


def rule_of(case: Case) -> Rule | None:
    """The rule of a case, None when it must match as recorded."""
    marked = "reference_defect" in case
    for rule in RULES:
        if rule.fits(case) if marked else rule.unmarked(case):
            return rule
    if marked:
        raise AssertionError(f"no rule covers this defect: {case['reference_defect']}")
    return None


def _ops(case: Case) -> set[str]:
    return {step["op"] for step in case["steps"]}


def _says(case: Case, pattern: str) -> bool:
    """Whether the defect (or what would be better) is described in such words."""
    text = f"{case.get('reference_defect', '')} {case.get('better', '')}"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _tagged(*tags: str) -> Callable[[Case], bool]:
    return lambda case: not set(tags).isdisjoint(case["tags"])


def _flips(case: Case) -> bool:
    """A recorded fill takes a position through zero (sales of held shares do not)."""
    held: dict[tuple[str, str], int] = {}
    for trade in case.get("expect", {}).get("trades", ()):
        if trade.get("product") == "CNC":
            continue
        key = (trade["symbol"], trade["product"])
        before = held.get(key, 0)
        after = before + trade["quantity"] * (1 if trade["action"] == "BUY" else -1)
        if before * after < 0:
            return True
        held[key] = after
    return False


def _working(case: Case) -> list[dict[str, Any]]:
    rows = case["expect"].get("orders", ())
    return [row for row in rows if row["status"] in ("open", "trigger pending")]


def _missing_reserve(case: Case) -> float:
    """By how much the recorded reserve is less than the margins of the record's own rows."""
    end = case["expect"]
    rows = [*end.get("positions", ()), *_working(case), *end.get("gtts", ())]
    return float(sum(row["margin_blocked"] for row in rows) - end["funds"]["used_margin"])


def _does_not_add_up(case: Case) -> bool:
    """The record's own books contradict each other: reserve is not the sum of margins."""
    return abs(_missing_reserve(case)) > 0.05


def _money_is_whole(case: Case) -> bool:
    """What is not reserved is free: the record loses no rupee."""
    funds = case["expect"]["funds"]
    total = funds["total_capital"] + funds["realized_pnl"]
    return abs(funds["available"] + funds["used_margin"] - total) < 0.05


def _handed_back(case: Case) -> bool:
    """What is missing is the reserve of one order that still rests, and it is free again."""
    missing = _missing_reserve(case)
    return _money_is_whole(case) and any(
        row["margin_blocked"] > 0 and abs(row["margin_blocked"] - missing) < 0.05
        for row in _working(case)
    )


def _scaled_twice(case: Case) -> bool:
    """A flipped position has the margin of its order cut by (what is left / what was ordered)."""
    if not _flips(case) or not _money_is_whole(case) or _does_not_add_up(case):
        return False
    end = case["expect"]
    return any(
        (row["symbol"], row["product"]) == (order["symbol"], order["product"])
        and 0 < abs(row["quantity"]) < order["filled"]
        and abs(
            row["margin_blocked"] * order["filled"] - order["margin_blocked"] * abs(row["quantity"])
        )
        < 0.05
        for row in end["positions"]
        for order in end["orders"]
    )


# -- what is right ----------------------------------------------------------------------------
def _nothing_more(run: Run, case: Case) -> None:
    """The independent count of money after each step says it all."""


def _refused_before_it_costs(run: Run, case: Case) -> None:
    assert run.refusals and not run.box.state.trades
    assert run.box.state.ledger.reserved == 0


def _modified_like_new(run: Run, case: Case) -> None:
    """Each change was refused for want of money, or reserved like a new order; and one that
    became marketable traded at once."""
    for before, after, refusal, free in run.modifications:
        if refusal is not None:
            assert "Insufficient funds" in refusal.message
            assert after == before
            continue
        assert after.needed <= before.needed or after.needed - before.needed <= free
        if after.marketable:
            assert after.filled == after.quantity


def _nothing_works(run: Run, case: Case) -> None:
    assert run.box.book.all_working() == []


def _reset_is_clean(run: Run, case: Case) -> None:
    assert run.box.book.all_working() == []
    assert run.box.state.ledger.reserved == 0


async def _span_asks_more(run: Run, case: Case) -> None:
    """The leverage table stays as it is by default; ``span`` asks what an exchange would."""
    recorded = case["expect"]["funds"]["used_margin"]
    assert await run.used_under_span() > 5 * recorded


def _closed_rows_are_listed(run: Run, case: Case) -> None:
    listed = {(row["symbol"], row["product"]) for row in run.last_result["data"]}
    assert listed == {(p.symbol, p.product.value) for p in run.box.state.positions.values()}


def _profit_is_booked(run: Run, case: Case) -> None:
    """All profit of all trades is in the realised figure and in cash."""
    assert run.box.state.meta.realised == run.profit_of_trades()


def _delivery_frees_margin(run: Run, case: Case) -> None:
    state = run.box.state
    assert state.holdings and state.ledger.reserved == 0
    cost = sum(row.cost for row in state.holdings.values())
    assert state.ledger.cash == state.meta.capital - cost


def _shares_are_sold_once(run: Run, case: Case) -> None:
    bought = sold = 0
    for row in run.box.state.orders.values():
        order = row.order
        if order.product is Product.CNC and order.action is Action.BUY:
            bought += order.filled_quantity
        elif order.product is Product.CNC and order.status.value != "rejected":
            working = order.pending_quantity if order.status.is_working else 0
            sold += order.filled_quantity + working
    assert 0 < sold <= bought


def _no_new_position_after_cut_off(run: Run, case: Case) -> None:
    refused = [error for error in run.refusals if "square-off time" in error.message]
    assert refused
    for position in run.box.state.positions.values():
        assert position.quantity >= 0 or position.sell_quantity <= position.buy_quantity


def _closed_market_makes_no_trade(run: Run, case: Case) -> None:
    for trade in run.box.state.trades.values():
        assert run.box.hours.is_open(trade.exchange, trade.traded_at)
    if not run.box.hours.is_open("NSE", run.clock.now()):
        assert run.box.book.all_working()


def _price_type_is_honoured(run: Run, case: Case) -> None:
    for step in case["steps"]:
        if step["op"] == "smart":
            asked = step.get("pricetype") or step["price_type"]
            order = run.box.book.find(run.ids[step["ref"]]).order
            assert order.price_type is PriceType(asked)
            assert not order.price_type.has_price or order.price == step["price"]


def _crossed_gtts_have_fired(run: Run, case: Case) -> None:
    for gtt in run.box.state.gtts.values():
        crossed = any(
            low <= leg.trigger_price if leg.below else high >= leg.trigger_price
            for leg in gtt.legs
            for low, high in [run.range_since_start(gtt.key)]
        )
        assert crossed == (gtt.status is not GttStatus.ACTIVE)


def _refused_gtt_is_tried_once(run: Run, case: Case) -> None:
    for gtt in run.box.state.gtts.values():
        if gtt.status is GttStatus.REJECTED:
            assert gtt.margin == 0 and gtt.message
    children = [row for row in run.box.state.orders.values() if row.order.strategy == "GTT"]
    assert len(children) <= len(run.box.state.gtts)


def _limits_respect_the_quote(run: Run, case: Case) -> None:
    """No limit order traded while the opposite quote was beyond its limit, unless the last trade
    was exactly there."""
    for order, tick in run.limit_fills:
        quote = tick.ask if order.action is Action.BUY else tick.bid
        beyond = quote and (quote - order.price) * order.action.sign > 0
        assert not beyond or tick.ltp == order.price


def _triggered_stops_are_limits(run: Run, case: Case) -> None:
    """After its trigger a stop-limit order rests only while its limit is out of reach."""
    for row in run.box.book.all_working():
        tick = run.market.quotes.get(row.order.key)
        if row.live and tick is not None:
            assert (tick.ltp - row.order.price) * row.order.action.sign > 0


def _day_orders_are_over(run: Run, case: Case) -> None:
    """Nothing works, and nothing traded, after its day; the clock task would have looked by now."""
    now = run.clock.now()
    run.box.lifecycle.expire_orders(now)
    for trade in run.box.state.trades.values():
        assert run.box.book.find(trade.order_id).session == trade.traded_at.date()
    for row in run.box.book.all_working():
        assert row.session is not None
        assert run.box.hours.day_end(row.order.exchange, row.session) > now


#: First fit wins.
RULES: tuple[Rule, ...] = (
    Rule(
        "validation",
        "What no exchange would take (an index, a price off the tick, a limit that cannot fill "
        "after its trigger) is refused before it costs anything.",
        _tagged("validation"),
        BOOKS,
        _refused_before_it_costs,
    ),
    Rule(
        "smart price type",
        "A smart order honours the public field pricetype; the reference reads another name.",
        _tagged("smart"),
        BOOKS,
        _price_type_is_honoured,
    ),
    Rule(
        "cancel all",
        "Stops that wait for their trigger are open orders and are cancelled too.",
        lambda case: "cancel_all" in _ops(case),
        frozenset({"orders", "funds", "results"}),
        _nothing_works,
    ),
    Rule(
        "modify",
        "A change reserves like a new order, is refused when money is short, and meets the "
        "market at once; the reference keeps the old reserve and waits for the next pass.",
        lambda case: "modify" in _ops(case),
        BOOKS,
        _modified_like_new,
    ),
    Rule(
        "reset",
        "A reset cancels resting orders; an order without a reserve must not survive it.",
        _tagged("reset"),
        BOOKS,
        _reset_is_clean,
    ),
    Rule(
        "gtt polling",
        "A crossed trigger fires however the price arrives and whatever else rests.",
        lambda case: "gtt" in case["tags"] and _says(case, r"poll|never evaluated|early"),
        BOOKS,
        _crossed_gtts_have_fired,
    ),
    Rule(
        "gtt refused",
        "A GTT whose order is refused ends with the reason; it is not tried on every tick.",
        _tagged("gtt"),
        BOOKS,
        _refused_gtt_is_tried_once,
    ),
    Rule(
        "hours",
        "Outside its session an exchange does not trade: orders wait for the open.",
        lambda case: "hours" in case["tags"] or _says(case, r"frozen LTP|market.hours"),
        BOOKS,
        _closed_market_makes_no_trade,
    ),
    Rule(
        "mis cut-off",
        "After the cut-off an MIS order may reduce a position, never turn it.",
        lambda case: "squareoff" in case["tags"] and _says(case, r"cut-?off|after .*time"),
        BOOKS,
        _no_new_position_after_cut_off,
    ),
    Rule(
        "flip",
        "An order through zero margins its whole new side; the reference scales that margin down "
        "a second time at the fill. Smart orders that flip record the same without a mark.",
        _flips,
        MARGINS,
        _nothing_more,
        unmarked=_scaled_twice,
    ),
    Rule(
        "day orders",
        "Orders are good for their day; the reference lets them rest unseen for ever.",
        lambda case: (
            "session" in case["tags"]
            or _says(case, r"\bDAY\b|never expire|indefinite|next session")
        ),
        BOOKS,
        _day_orders_are_over,
    ),
    Rule(
        "shares sold twice",
        "Resting sales count against the shares that are there.",
        lambda case: "cnc" in case["tags"] and _says(case, r"twice|resting|sold|\bsell"),
        BOOKS,
        _shares_are_sold_once,
    ),
    Rule(
        "delivery",
        "Delivery frees the whole margin and takes the exact price paid from cash.",
        lambda case: "t1" in case["tags"] and _says(case, r"margin|reserve"),
        frozenset({"funds.available", "funds.used_margin"}),
        _delivery_frees_margin,
    ),
    Rule(
        "profit of delivered shares",
        "Profit is booked in cash and in the realised figures when it is made, also where a "
        "position has no margin to release.",
        _tagged("cnc"),
        frozenset({"funds", "daily_pnl"}),
        _profit_is_booked,
    ),
    Rule(
        "closed rows",
        "What was closed in the session stays in the position book, profit or not.",
        _tagged("mtm"),
        frozenset({"results"}),
        _closed_rows_are_listed,
    ),
    Rule(
        "sold options",
        "The leverage table is the compatible default; the span model asks a realistic margin.",
        lambda case: "margin" in case["tags"] and _says(case, r"SPAN|option"),
        frozenset(),
        _span_asks_more,
    ),
    Rule(
        "naked exits",
        "Exits share the position: what exceeds it is margined like a new position.",
        lambda case: "netting" in case["tags"] or _says(case, r"naked|two exits"),
        frozenset({"funds", "orders.margin_blocked", "positions.margin_blocked", "results"}),
        _nothing_more,
    ),
    Rule(
        "limit and quote",
        "A buy limit does not fill below the ask, nor a sell limit above the bid.",
        lambda case: "limit" in case["tags"] or _says(case, r"\bask\b|\bbid\b"),
        BOOKS,
        _limits_respect_the_quote,
    ),
    Rule(
        "triggered stop",
        "A stop-limit order forgets its trigger once it was hit.",
        lambda case: _tagged("sl", "stop", "stoplimit", "slm")(case) or _says(case, r"trigger"),
        BOOKS,
        _triggered_stops_are_limits,
    ),
    Rule(
        "reserve of resting orders",
        "A fill leaves the reserves of other orders alone; in the reference any fill hands them "
        "back, in cases with and without a mark.",
        _does_not_add_up,
        frozenset({"funds.available", "funds.used_margin"}),
        _nothing_more,
        unmarked=_handed_back,
    ),
    Rule(
        "reserves",
        "A reserve is released by what it was blocked for and nothing else, and a release never "
        "takes booked profit with it.",
        lambda case: _says(case, r"margin|release|reserve|cash|profit|P&L|funds"),
        MONEY,
        _nothing_more,
    ),
)
