"""Where recordings of Kite are wrong beyond their own ``deviation``, and on whose word."""

from __future__ import annotations

from typing import Any

from tests.wire.vectors import Rule


def _open_positions(case: dict[str, Any]) -> list[tuple[dict[str, Any], float]]:
    """Open rows of a funds case with the fresh price of each."""
    bodies = [answer["body"]["data"] for answer in case["http_response"]]
    rows = [row for row in bodies[1]["net"] if row["quantity"]]
    prices = bodies[2] if len(bodies) > 2 else {}
    key = "{exchange}:{tradingsymbol}"
    return [
        (row, prices.get(key.format(**row), {}).get("last_price", row["last_price"]))
        for row in rows
    ]


def _has_contract_size(case: dict[str, Any]) -> bool:
    answers = case["http_response"]
    return len(answers) > 1 and any(
        row.get("multiplier", 1) != 1 for row, _ in _open_positions(case)
    )


def _holdings(case: dict[str, Any]) -> list[dict[str, Any]]:
    data = case["http_response"][0]["body"].get("data") if case["http_response"] else None
    return data if isinstance(data, list) else []


def _with_t1(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows with the shares that are bought but not delivered yet; the result follows from
    the quantity, so it is not compared there."""
    rows = []
    for row, raw in zip(case["expect"]["rows"], _holdings(case), strict=True):
        more = raw.get("t1_quantity") or 0
        changed = {**row, "quantity": row["quantity"] + more}
        rows.append({k: v for k, v in changed.items() if not (more and k == "pnl")})
    return rows


RULES: tuple[Rule, ...] = (
    Rule(
        ops="holdings",
        field="/expect/rows",
        condition=lambda case: (
            any(row.get("t1_quantity") for row in _holdings(case)) and "rows" in case["expect"]
        ),
        source="https://kite.trade/docs/connect/v3/portfolio/ : t1_quantity is the 'quantity on "
        "T+1 day after order execution', not part of quantity; the shares are the holder's",
        should_be=_with_t1,
        unrecorded=True,  # test_runner.py
    ),
    Rule(
        ops="funds",
        field="/expect/m2munrealized",
        condition=_has_contract_size,
        source="https://kite.trade/docs/connect/v3/portfolio/ : multiplier is 'used for "
        "calculating P&Ls', pnl = (sell_value - buy_value) + quantity * last_price * multiplier",
        should_be=lambda case: sum(
            (price - row["average_price"]) * row["quantity"] * row["multiplier"]
            for row, price in _open_positions(case)
        ),
    ),
)
