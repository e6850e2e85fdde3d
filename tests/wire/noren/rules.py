"""Where recordings of Noren's members are wrong beyond their ``deviation``, and on whose word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.wire.vectors import Rule

SDK = "NorenApi of PyPI norenrestapi 0.0.37"
FAMILY = "fact sheet of the family"
HOLDINGS = (
    "https://pi.flattrade.in/docs, Holdings: Valuation = btstqty + holdqty + brkcolqty + "
    "unplgdqty + benqty + Max(npoadqty, dpqty) - usedqty"
)
PROTECTION = (
    "fact sheet of the family, market price protection: SL-M is priced from its trigger, by the "
    "kind of instrument; the reference takes the last price, or one per cent because the symbol "
    "ends in CE"
)
#: The members that speak jData.
MEMBERS = ("shoonya", "flattrade", "zebu", "tradesmart")
_TICKS = {"NSE": 0.1, "MCX": 1.0}  # of the instruments with recorded stop orders


def replies(case: dict[str, Any]) -> list[Any]:
    """The bodies that were served."""
    return [reply["body"] for reply in case["http_response"]]


def bodies(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The jData of the recorded requests."""
    return [(request.get("body") or {}).get("jData") or {} for request in case["http"]]


def is_stop_market(case: dict[str, Any]) -> bool:
    """A new SL-M order."""
    return bool(case["input"].get("pricetype") == "SL-M")


def protected_trigger(case: dict[str, Any]) -> float:
    """The limit that stands in for a stop-market order of a share or a future."""
    given = case["input"]
    trigger, tick = float(given["trigger_price"]), _TICKS[given["exchange"]]
    percent = 2.0 if trigger < 100 else 1.0 if trigger < 500 else 0.5
    sign = 1 if given["action"] == "BUY" else -1
    return round(round(trigger * (1 + sign * percent / 100) / tick) * tick, 4)


def without_quote(case: dict[str, Any], quote: str) -> list[int]:
    """The numbers of the recorded requests that are no quote."""
    return [
        number
        for number, request in enumerate(case["http"])
        if not request["url"].endswith(f"/{quote}")
    ]


def quoteless(name: str, quote: str) -> Callable[[dict[str, Any]], Any]:
    """The list ``name`` of a case without its quote."""

    def should_be(case: dict[str, Any]) -> Any:
        kept = without_quote(case, quote)
        return [case[name][number] for number in kept if number < len(case[name])]

    return should_be


def _stop_request(case: dict[str, Any]) -> dict[str, Any]:
    """The order of a stop-market request as a protected stop-limit one."""
    order = bodies(case)[-1]
    return {**order, "prc": f"{protected_trigger(case):g}", "prctyp": "SL-LMT"}


def _rows(case: dict[str, Any], change: Callable[[Any, Any], Any]) -> list[Any]:
    """The expected rows, each changed with the row that was served."""
    return [
        change(row, raw) for row, raw in zip(case["expect"]["rows"], replies(case)[0], strict=True)
    ]


def _limit_price(row: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    return {**row, "price": float(raw["prc"])}


def _paid(row: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    flat = float(raw["netavgprc"]) == 0
    return {**row, "average_price": float(raw["daybuyavgprc"])} if flat else row


def _holdings(case: dict[str, Any]) -> list[dict[str, Any]]:
    """By the documented formula, those that are listed on BSE alone too."""
    plain = {"RELIANCE-EQ": "RELIANCE", "SBIN": "SBIN"}
    rows = []
    for raw in replies(case)[0]:
        names = {name["exch"]: name["tsym"] for name in raw["exch_tsym"]}
        exchange = "NSE" if "NSE" in names else "BSE"
        fields = ("btstqty", "holdqty", "brkcolqty", "unplgdqty", "benqty")
        held = sum(float(raw.get(name, 0)) for name in fields)
        other = max(float(raw.get("npoadqty", 0)), float(raw.get("dpqty", 0)))
        quantity = held + other - float(raw.get("usedqty", 0))
        price = float(raw["upldprc"])
        rows.append(
            {"symbol": plain[names[exchange]], "exchange": exchange, "quantity": quantity,
             "product": "CNC", "average_price": price}
        )  # fmt: skip
    return rows


def _is_daily(case: dict[str, Any]) -> bool:
    return case["input"].get("interval") == "D"


def _midnight_utc(rows: list[Any]) -> list[Any]:
    """Daily bars at midnight UTC of their IST date."""
    return [[(row[0] + 19_800) // 86_400 * 86_400, *row[1:]] for row in rows]


RULES: tuple[Rule, ...] = (
    # -- logins ------------------------------------------------------------------------------
    Rule(
        brokers="tradesmart",
        ops="login",
        field="/expect/auth_token",
        condition=lambda case: ":::" in str(case["expect"].get("auth_token")),
        source="tradesmart sheet: the reference stores <actid>:::<token>, only the second half "
        "is the token",
        change=lambda text: text.rpartition(":::")[2],
    ),
    # -- orders ------------------------------------------------------------------------------
    Rule(
        brokers=MEMBERS,
        ops="place_order",
        field="/http/*/body/jData/remarks",
        condition=lambda case: any("prctyp" in body for body in bodies(case)),
        source=f"{SDK}, place_order: remarks is the order's tag; the reference sends none",
    ),
    Rule(
        brokers=MEMBERS,
        ops="place_order",
        field="/http/0/body/jData/tsym",
        condition=lambda case: "%26" in bodies(case)[0].get("tsym", ""),
        source=f"{FAMILY}: & is sent as the JSON escape \\u0026, which the server parses (that it "
        "undoes %26 inside JSON is in doubt: it does not for charts)",
        change=lambda text: text.replace("%26", "&"),
    ),
    Rule(
        brokers=MEMBERS,
        ops="place_order",
        field="/http/-1/body/jData",
        condition=is_stop_market,
        source=PROTECTION,
        should_be=_stop_request,
    ),
    Rule(
        brokers=MEMBERS,
        ops="place_order",
        field="/http_response",
        condition=is_stop_market,
        source=PROTECTION,
        should_be=quoteless("http_response", "GetQuotes"),
    ),
    Rule(
        brokers=MEMBERS,
        ops="place_order",
        field="/http",
        condition=is_stop_market,
        source=PROTECTION,
        should_be=quoteless("http", "GetQuotes"),
    ),
    # -- books -------------------------------------------------------------------------------
    Rule(
        brokers=("flattrade", "tradesmart"),
        ops="order_book",
        field="/expect/rows",
        condition=lambda case: isinstance(replies(case)[0], list),
        source="flattrade sheet: the reference shows the average as the price; better is its own "
        "average_price",
        should_be=lambda case: _rows(case, _limit_price),
    ),
    Rule(
        brokers="flattrade",
        ops=("order_book", "trade_book", "positions", "cancel_all_orders"),
        field="/http/*/headers/content-type",
        condition=lambda case: True,
        source="flattrade sheet: the reference says application/json in books though the body is "
        "none; irrelevant",
    ),
    Rule(
        brokers=("flattrade", "tradesmart"),
        ops="positions",
        field="/expect/rows",
        condition=lambda case: isinstance(replies(case)[0], list),
        source=f"{FAMILY}: closed rows have netavgprc 0: show daybuyavgprc or totbuyavgprc",
        should_be=lambda case: _rows(case, _paid),
    ),
    Rule(
        brokers=MEMBERS,
        ops="holdings",
        field="/expect/rows",
        condition=lambda case: isinstance(replies(case)[0], list),
        source=f"{HOLDINGS}; {FAMILY}: the reference drops what is listed on BSE alone",
        should_be=_holdings,
    ),
    Rule(
        brokers="zebu",
        ops="margin",
        field="/http",
        condition=lambda case: bool(case["expect"].get("unsupported")),
        source="zebu sheet: not implemented in the reference; the server has GetBasketMargin "
        "(Zebu's own app calls it)",
    ),
    # -- market data -------------------------------------------------------------------------
    *(
        Rule(
            brokers=MEMBERS,
            ops="depth",
            field=f"/expect/{ours}",
            condition=lambda case: "tbq" in replies(case)[0],
            source=f"{FAMILY}: the reference adds up five levels; tbq and tsq are the totals",
            should_be=lambda case, theirs=theirs: int(replies(case)[0][theirs]),
        )
        for ours, theirs in (("totalbuyqty", "tbq"), ("totalsellqty", "tsq"))
    ),
    Rule(
        brokers="shoonya",
        ops="depth",
        field="/expect/oi",
        condition=lambda case: "oi" in replies(case)[0],
        source=f"{FAMILY}: shoonya depth forces oi 0 (wrong)",
        should_be=lambda case: int(replies(case)[0]["oi"]),
    ),
    *(
        Rule(
            brokers="shoonya",
            ops="history",
            field=f"/http/*/body/jData/{name}",
            condition=lambda case: len(case["http"]) > 1 and not _is_daily(case),
            source="the reference cuts a range at the second at which it began; ours are whole "
            "days of IST, as each whole range is (fact sheet of the family)",
        )
        for name in ("st", "et")
    ),
    Rule(
        brokers="flattrade",
        ops="history",
        field="/http/1/body/jData/token",
        condition=lambda case: len(case["http"]) > 1 and bodies(case)[1].get("token", 0) is None,
        source="the reference looks an index up on NSE and finds no token; shoonya's recording of "
        "the same request has it",
        should_be=lambda case: "26000",
    ),
    Rule(
        brokers="tradesmart",
        ops="history",
        field="/http/0/body/jData/uid",
        condition=lambda case: "sym" in bodies(case)[0],
        source=f"{SDK}, get_daily_price_series: uid is in every request",
        should_be=lambda case: "FA12345",
    ),
    Rule(
        brokers="zebu",
        ops="history",
        field="/expect/rows",
        condition=_is_daily,
        source="CONTRACT section 7 and the other members: a daily bar is at midnight UTC of its "
        "day; the reference stamps today's at midnight IST",
        change=_midnight_utc,
    ),
    # -- masters -----------------------------------------------------------------------------
    Rule(
        brokers=("shoonya", "flattrade", "tradesmart"),
        ops="symbol_master",
        field="/expect/*/brexchange",
        condition=lambda case: any(
            row["brexchange"].endswith("_INDEX") for row in case["expect"] or ()
        ),
        source="CONTRACT section 3: brexchange is the broker's; an index is on NSE there (fact "
        "sheet of the family, quotes)",
        change=lambda text: text.removesuffix("_INDEX"),
    ),
    Rule(
        brokers="zebu",
        ops="symbol_master",
        field="/expect/*/expiry",
        condition=lambda case: any(len(row["expiry"]) == 7 for row in case["expect"] or ()),
        source="CONTRACT section 3: expiry is DD-MON-YY",
        change=lambda text: f"{text[:2]}-{text[2:5]}-{text[5:]}" if len(text) == 7 else text,
    ),
    # -- feeds -------------------------------------------------------------------------------
    Rule(
        brokers=MEMBERS,
        ops="stream",
        field="/expect/*/change_percent",
        condition=lambda case: any("change_percent" in tick for tick in case["expect"] or ()),
        source="the change follows from the last price and the previous close, which are in the "
        "packet; pc is the server's, cut to two decimals (and made up in the recording of NFO)",
    ),
    Rule(
        brokers=MEMBERS,
        ops="stream",
        field="/expect/*/turnover",
        condition=lambda case: any("turnover" in tick for tick in case["expect"] or ()),
        source=f"{FAMILY}: toi is the open interest of the underlying, no turnover",
    ),
    Rule(
        brokers=MEMBERS,
        ops="order_stream",
        field="/expect/*/pending_quantity",
        condition=lambda case: any(u["order_status"] == "rejected" for u in case["expect"] or ()),
        source="a refused order has nothing pending (core.model.Order)",
        should_be=lambda case: 0,
    ),
)
