"""What a single case found when it was recorded, made again from what it answered.

Single cases were recorded one after another on one server, so some of them saw orders, positions
or preferences of cases in other files. Sequences begin with an emptied sandbox and need nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.api.golden_case import Case
from tests.api.golden_compare import Ids
from tests.e2e.driver import Program

_CUT_OFF = re.compile(r"after square-off time \((\d\d:\d\d) IST\)")
_CLOSED = re.compile(r"Closed (\d+) positions")


def settings_of(case: Case) -> tuple[str, ...]:
    """Settings in force when the case was recorded, if its answer tells."""
    match = _CUT_OFF.search(str(case.message))
    return (f"sandbox.nse_bse_square_off_time={match[1]}",) if match else ()


def prepare(program: Program, case: Case, ids: Ids) -> None:
    """Bring the program to what the case found."""
    setup = _SETUPS.get((case.method, case.endpoint))
    if setup is not None and case.ok:
        setup(program, case, ids)


def _trade(program: Program, row: dict[str, Any], quantity: int) -> None:
    program.call(
        "placeorder",
        strategy="golden",
        symbol=row["symbol"],
        exchange=row["exchange"],
        product=row["product"],
        pricetype="MARKET",
        action="BUY" if quantity > 0 else "SELL",
        quantity=abs(quantity),
    )


def _open_position(program: Program, case: Case, ids: Ids) -> None:
    asked = {name: case.fields[name] for name in ("symbol", "exchange", "product")}
    held = program.call("openposition", strategy="golden", **asked)["quantity"]
    if case.body["quantity"] != held:
        _trade(program, asked, case.body["quantity"] - held)


def _positions_to_close(program: Program, case: Case, ids: Ids) -> None:
    match = _CLOSED.fullmatch(str(case.message))
    if match is None:
        return
    rows = program.call("positionbook")["data"]
    missing = int(match[1]) - sum(1 for row in rows if row["quantity"])
    held = {row["symbol"] for row in rows if row["quantity"]}
    for symbol in ("SBIN", "INFY", "TCS", "RELIANCE", "YESBANK", "NIFTYBEES"):
        if missing > 0 and symbol not in held:
            _trade(program, {"symbol": symbol, "exchange": "NSE", "product": "MIS"}, 1)
            missing -= 1


def _triggers(program: Program, case: Case, ids: Ids) -> None:
    """The recorded GTTs, and no others."""
    ours = {row["trigger_id"] for row in program.call("gttorderbook")["data"]}
    wanted = {ids.ours.get(row["trigger_id"]) for row in case.body["data"]}
    for trigger_id in ours - wanted:
        program.call("cancelgttorder", strategy="golden", trigger_id=trigger_id)
    for row in case.body["data"]:
        if ids.ours.get(row["trigger_id"]) not in ours:
            answer = program.call("placegttorder", **_trigger_request(row))
            ids.match(row["trigger_id"], answer["trigger_id"])


def _trigger_request(row: dict[str, Any]) -> dict[str, Any]:
    first, last = row["legs"][0], row["legs"][-1]
    request = {
        "strategy": row.get("strategy", "golden"),
        "trigger_type": "OCO" if row["trigger_type"] == "two-leg" else "SINGLE",
        "symbol": row["symbol"],
        "exchange": row["exchange"],
        "action": first["action"],
        "product": first["product"],
        "quantity": first["quantity"],
        "pricetype": first["pricetype"],
        "price": first["price"],
        "triggerprice_sl": row["trigger_prices"][0],
    }
    if request["trigger_type"] == "OCO":
        request |= {
            "stoploss": first["price"],
            "triggerprice_tg": row["trigger_prices"][1],
            "target": last["price"],
        }
    return request


def _preferences(program: Program, case: Case, ids: Ids) -> None:
    if not case.body["data"]:
        return
    with program.http() as http:
        body = {"apikey": program.api_key, **case.body["data"]}
        status, answer = http.post("/api/v1/chart", body)
    assert status == 200, answer


_SETUPS: dict[tuple[str, str], Callable[[Program, Case, Ids], None]] = {
    ("POST", "openposition"): _open_position,
    ("POST", "closeposition"): _positions_to_close,
    ("POST", "gttorderbook"): _triggers,
    ("GET", "chart"): _preferences,
}
