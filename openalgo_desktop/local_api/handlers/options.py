"""Option contracts, chains, greeks, and orders on contracts found by offset."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.analytics.chain import Chain, Leg
from openalgo_desktop.analytics.contracts import ContractError, PriceProblem, Underlying
from openalgo_desktop.analytics.greeks import GreeksRequest
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import priced
from openalgo_desktop.core.symbols import split_underlying
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.local_api.handlers.bulk import child_rows, split, split_answer
from openalgo_desktop.local_api.handlers.orders import order_request, place
from openalgo_desktop.local_api.handlers.shapes import freeze_quantity, success
from openalgo_desktop.local_api.table import ApiError, Call

OUT_OF_FIELDS = "Missing required option parameters: underlying, exchange, offset, option_type"


def _underlying(call: Call, expiry: str | None = None) -> Underlying:
    data = call.data
    return call.services.chains.contracts.underlying(
        data["underlying"],
        data["exchange"],
        expiry or data["expiry_date"],
        call.ctx.clock.now().date(),
    )


async def _contract(
    call: Call, spec: dict[str, Any], ltp: float | None = None
) -> tuple[Instrument, float]:
    """The contract that offset and type of ``spec`` mean, and the price of the underlying."""
    contracts = call.services.chains.contracts
    underlying = _underlying(call, spec.get("expiry_date"))
    if ltp is None:
        ltp = (await contracts.price(underlying.quoted)).ltp
    row = contracts.option(
        underlying, ltp, spec["offset"], spec["option_type"], call.data["strike_int"]
    )
    return row, ltp


def _plain(error: ContractError) -> ApiError:
    """Errors while finding the contract carry no mode."""
    return ApiError(error.http_status, error.message, with_mode=False)


# -- contracts and chains -------------------------------------------------------------------
async def optionsymbol(call: Call) -> dict[str, Any]:
    row, ltp = await _contract(call, call.data)
    return {
        "status": "success",
        "symbol": row.symbol,
        "exchange": row.exchange,
        "lotsize": row.lot_size,
        "tick_size": row.tick_size,
        "freeze_qty": freeze_quantity(row),
        "underlying_ltp": ltp,
    }


async def optionchain(call: Call) -> dict[str, Any]:
    data = call.data
    _, embedded = split_underlying(data["underlying"])
    underlying = call.services.chains.contracts.underlying(
        data["underlying"],
        data["exchange"],
        None if embedded else data["expiry_date"],  # here the embedded one wins
        call.ctx.clock.now().date(),
    )
    try:
        chain = await call.services.chains.build(
            underlying, data["strike_count"], data["with_greeks"], data["interest_rate"] or 0.0
        )
    except PriceProblem as error:
        text = f"Failed to fetch LTP for {error.symbol}: {error.why}"
        raise ApiError(error.http_status, text) from None
    return chain_answer(chain, int(call.ctx.clock.time()), data["with_greeks"])


def chain_answer(chain: Chain, server_time: int, with_greeks: bool) -> dict[str, Any]:
    """The chain in the shape of the API."""
    exchange, symbol = chain.underlying.quoted
    return {
        "status": "success",
        "underlying": chain.underlying.base,
        "underlying_symbol": symbol,
        "underlying_exchange": exchange,
        "underlying_ltp": chain.price.ltp,
        "underlying_prev_close": chain.price.close,
        "expiry_date": chain.underlying.expiry_text.upper(),
        "expiry_ts": chain.expiry_epoch,
        "server_ts": server_time,
        "atm_strike": chain.atm,
        "quotes_included": True,
        "greeks_included": with_greeks,
        "forward_price": None if chain.forward is None else priced(chain.forward),
        "chain": [
            {
                "strike": row.strike,
                "ce": _leg_row(row.ce, with_greeks),
                "pe": _leg_row(row.pe, with_greeks),
            }
            for row in chain.strikes
        ],
    }


_NO_GREEKS = (0.0, 0.0, 0.0, 0.0, 0.0)


def _leg_row(leg: Leg | None, with_greeks: bool) -> dict[str, Any] | None:
    if leg is None:
        return None
    row, tick = leg.row, leg.tick
    result: dict[str, Any] = {"symbol": row.symbol, "label": leg.label}
    if tick is None:
        result |= dict.fromkeys(_QUOTE_FIELDS, 0)
    else:
        touch = tick.knows(Part.TOUCH)
        result |= {
            "ltp": tick.ltp,
            "bid": tick.bid if touch else None,
            "ask": tick.ask if touch else None,
            "bid_qty": tick.bid_quantity if touch else None,
            "ask_qty": tick.ask_quantity if touch else None,
            "open": tick.open,
            "high": tick.high,
            "low": tick.low,
            "prev_close": tick.close,
            "volume": tick.volume,
            "oi": tick.oi if tick.knows(Part.OI) else None,
        }
    result["lotsize"] = row.lot_size
    result["tick_size"] = row.tick_size
    if with_greeks:
        iv, delta, gamma, theta, vega = leg.greeks or _NO_GREEKS
        result |= {
            "implied_volatility": iv,
            "delta": delta,
            "gamma": gamma,
            "theta": theta,
            "vega": vega,
        }
    return result


_QUOTE_FIELDS = (
    "ltp",
    "bid",
    "ask",
    "bid_qty",
    "ask_qty",
    "open",
    "high",
    "low",
    "prev_close",
    "volume",
    "oi",
)


async def syntheticfuture(call: Call) -> dict[str, Any]:
    underlying = _underlying(call)
    price, atm, value = await call.services.chains.synthetic(underlying)
    return {
        "status": "success",
        "underlying": underlying.base,
        "underlying_ltp": price.ltp,
        "expiry": underlying.expiry_text.upper(),
        "atm_strike": atm,
        "synthetic_future_price": priced(value),
    }


# -- greeks ---------------------------------------------------------------------------------
def _greeks_request(item: dict[str, Any], common: dict[str, Any]) -> GreeksRequest:
    return GreeksRequest(
        symbol=item["symbol"],
        exchange=item["exchange"],
        rate=common["interest_rate"],
        forward=common.get("forward_price") or 0.0,
        underlying_symbol=item["underlying_symbol"] or "",
        underlying_exchange=item["underlying_exchange"] or "",
        expiry_time=common["expiry_time"] or "",
    )


async def optiongreeks(call: Call) -> dict[str, Any]:
    return await call.services.greeks.one(_greeks_request(call.data, call.data))


async def multioptiongreeks(call: Call) -> dict[str, Any]:
    data = call.data
    rows = await call.services.greeks.many(
        [_greeks_request(item, data) for item in data["symbols"]]
    )
    problems = [row["message"] for row in rows if row["status"] == "error"]
    failed, total = len(problems), len(rows)
    status = "success" if not failed else "error" if failed == total else "partial"
    answer: dict[str, Any] = {
        "status": status,
        "data": rows,
        "summary": {"total": total, "success": total - failed, "failed": failed},
    }
    if failed:
        reasons = "; ".join(dict.fromkeys(problems))
        answer["message"] = (
            f"All option Greeks calculations failed: {reasons}"
            if failed == total
            else f"{failed} option Greeks calculation(s) failed: {reasons}"
        )
    return answer


# -- orders ---------------------------------------------------------------------------------
def _order(spec: dict[str, Any], row: Instrument, strategy: str) -> OrderRequest:
    return order_request(spec | {"symbol": row.symbol, "exchange": row.exchange}, strategy)


async def optionsorder(call: Call) -> dict[str, Any]:
    data = call.data
    if not data["underlying"]:
        raise ApiError(400, OUT_OF_FIELDS, with_mode=False)
    try:
        row, ltp = await _contract(call, data)
    except ContractError as error:
        raise _plain(error) from None
    request = _order(data, row, data["strategy"])
    found = {
        "symbol": row.symbol,
        "exchange": row.exchange,
        "underlying": data["underlying"],
        "underlying_ltp": ltp,
        "offset": data["offset"].upper(),
        "option_type": data["option_type"],
    }
    if not data["splitsize"]:
        placed = await place(call, request)
        return success(placed.mode, orderid=placed.order_id, **found)
    mode = call.mode
    children = await split(call, request, data["splitsize"])
    return success(mode, **found, **split_answer(request, data["splitsize"], children))


async def optionsmultiorder(call: Call) -> dict[str, Any]:
    data = call.data
    mode = call.mode
    legs = list(enumerate(data["legs"], 1))
    rows: dict[int, dict[str, Any]] = {}
    ltp = await _leg_price(call)
    # Bought legs first: they lower the margin of the sold ones.
    for number, leg in sorted(legs, key=lambda pair: pair[1]["action"] == "SELL"):
        rows[number] = {"leg": number, **await _leg(call, leg, ltp)}
    return success(
        mode,
        underlying=data["underlying"],
        underlying_ltp=ltp,
        results=[rows[number] for number, _ in legs],
    )


async def _leg_price(call: Call) -> float | None:
    """One price for all legs, so that they agree on what is at the money; None when there is
    none, and then every leg says why."""
    data, contracts = call.data, call.services.chains.contracts
    try:
        key = contracts.price_key(data["underlying"], data["exchange"], call.ctx.clock.now().date())
        return (await contracts.price(key)).ltp
    except ContractError:
        return None


async def _leg(call: Call, leg: dict[str, Any], ltp: float | None) -> dict[str, Any]:
    head = {
        "offset": leg["offset"].upper(),
        "option_type": leg["option_type"],
        "action": leg["action"],
    }
    try:
        row, _ = await _contract(call, leg, ltp)
    except ContractError as error:
        return head | {"status": "error", "message": error.message}
    head |= {"symbol": row.symbol, "exchange": row.exchange}
    request = _order(leg, row, call.data["strategy"])
    done = {"status": "success", "mode": call.mode.api_text, "product": leg["product"]}
    try:
        if not leg["splitsize"]:
            placed = await place(call, request)
            return head | done | {"orderid": placed.order_id}
        children = await split(call, request, leg["splitsize"])
    except AppError as error:
        return head | {"status": "error", "message": error.message}
    return (
        head
        | done
        | {
            "total_quantity": request.quantity,
            "split_size": leg["splitsize"],
            "split_results": child_rows(children),
        }
    )
