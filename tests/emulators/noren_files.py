"""The symbol files of Noren's brokers: one zip per exchange, or Flattrade's CSV files."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache

from aiohttp import web

from openalgo_desktop.core.model import Instrument, Key

#: Trading symbol of an index in the zipped files, its name there, its name in Flattrade's.
INDEX_NAMES = {
    "NIFTY": ("NIFTY INDEX", "Nifty 50", "Nifty 50"),
    "BANKNIFTY": ("NIFTY BANK", "Nifty Bank", "Nifty Bank"),
    "INDIAVIX": ("INDIAVIX", "India VIX", "India VIX"),
}
_MONTH_CODE = "123456789OND"
ZIPPED = ("NSE", "NFO", "CDS", "MCX", "BSE", "BFO")
_CSV_FILES = {
    "NSE_Equity": "NSE", "Nfo_Equity_Derivatives": "NFO", "Nfo_Index_Derivatives": "NFO",
    "Currency_Derivatives": "CDS", "Commodity": "MCX", "BSE_Equity": "BSE",
    "Bfo_Index_Derivatives": "BFO", "Bfo_Equity_Derivatives": "BFO",
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """What a broker does its own way. ``key``: where the session's key is, ``bearer`` (header),
    ``body`` (``jKey``), or ``charts`` (header, but in the body of charts). ``token``: the
    exchange of the code, ``gen`` or ``flattrade``. ``master``: ``zip`` or ``csv``.
    ``orders_asked``: order messages must be asked for."""

    rest: str = "/NorenWClientAPI"
    feed: str = "/NorenWSAPI/"
    key: str = "bearer"
    token: str = "gen"
    master: str = "zip"
    orders_asked: bool = True


SHOONYA = Dialect(key="charts")
ZEBU = Dialect()
TRADESMART = Dialect(rest="/NorenWClientAPIv2", orders_asked=False)
FLATTRADE = Dialect(
    rest="/PiConnectAPI", feed="/PiConnectWSAPI/", key="body", token="flattrade", master="csv"
)


def money(value: float) -> str:
    """A price or amount as a text."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if value else "0.00"


#: Contracts that all emulators of a process have; their names and lines are made once.
_KNOWN = 32_768


@lru_cache(maxsize=_KNOWN)
def _name(row: Instrument, master: str) -> str:
    if row.is_index:
        plain, _, csv_name = INDEX_NAMES.get(row.symbol, (row.symbol,) * 3)
        return csv_name if master == "csv" else plain
    if row.expiry is None:
        return f"{row.symbol}-EQ" if row.exchange == "NSE" else row.symbol
    if row.exchange == "BFO":
        day = f"{row.expiry:%y}{_MONTH_CODE[row.expiry.month - 1]}{row.expiry:%d}"
        tail = "FUT" if row.instrument_type == "FUT" else f"{row.strike:g}{row.instrument_type}"
        return f"{row.name}{day}{tail}"
    day = f"{row.expiry:%d%b%y}".upper()
    tail = "F" if row.instrument_type == "FUT" else f"{row.instrument_type[0]}{row.strike:g}"
    return f"{row.name}{day}{tail}"


@lru_cache(maxsize=_KNOWN)
def _zip_line(row: Instrument, exchange: str, master: str) -> list[str]:
    """A row of a zipped file; who gets it does not change it."""
    more = {"CDS": ["4", money(row.contract_value)], "MCX": [money(row.contract_value)]}
    start = [exchange, row.token, str(row.lot_size), *more.get(exchange, [])]
    if exchange in ("NSE", "BSE"):
        label = INDEX_NAMES.get(row.symbol, ("", row.symbol, ""))[1]
        kind = "INDEX" if row.is_index else "EQ"
        return [*start, label, _name(row, master), kind, f"{round(row.tick_size * 100)}", ""]
    assert row.expiry is not None
    code = {"SENSEX": "BSX"}.get(row.name, row.name)
    symbol = f"{code}{row.instrument_type}" if exchange == "BFO" else row.name
    option = "XX" if row.instrument_type == "FUT" else row.instrument_type
    expiry = f"{row.expiry:%d-%b-%Y}".upper()
    tail = [expiry, "OPT", option, f"{row.strike:g}", money(row.tick_size), ""]
    return [*start, symbol, _name(row, master), *tail]


class NorenFiles:
    """Names of instruments, and the files that list them."""

    dialect: Dialect
    rows: dict[Key, Instrument]

    def exchange(self, row: Instrument) -> str:
        """The exchange on the wire."""
        return row.exchange.removesuffix("_INDEX")

    def name(self, row: Instrument) -> str:
        """The trading symbol."""
        return _name(row, self.dialect.master)

    def file_rows(self, exchange: str) -> list[Instrument]:
        """The instruments of one file; BSE's indices are in none but Flattrade's."""
        indices = exchange == "NSE" or (exchange == "BSE" and self.dialect.master == "csv")
        wanted = {exchange, f"{exchange}_INDEX"} if indices else {exchange}
        return [row for row in self.rows.values() if row.exchange in wanted]

    async def zipped(self, request: web.Request) -> web.Response:
        exchange = request.match_info["exchange"]
        if exchange not in ZIPPED:
            raise web.HTTPNotFound()
        text = self._zip_text(exchange)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{exchange}_symbols.txt", text)
        return web.Response(body=out.getvalue(), content_type="application/zip")

    def _zip_text(self, exchange: str) -> str:
        """A CSV whose lines all end with a comma."""
        head = {"CDS": ["Precision", "Multiplier"], "MCX": ["GNGD"]}.get(exchange, [])
        is_cash = exchange in ("NSE", "BSE")
        names = ["Instrument", "TickSize"] if is_cash else [
            "Expiry", "Instrument", "OptionType", "StrikePrice", "TickSize"
        ]  # fmt: skip
        lines = [["Exchange", "Token", "LotSize", *head, "Symbol", "TradingSymbol", *names, ""]]
        master = self.dialect.master
        lines += [_zip_line(row, exchange, master) for row in self.file_rows(exchange)]
        # A contract without a name, as the files have some.
        lines.append([*lines[-1][: -len(names) - 2], "", *lines[-1][-len(names) - 1 :]])
        return "\n".join(",".join(line) for line in lines) + "\n"

    async def plain(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        exchange = _CSV_FILES.get(name)
        if exchange is None:
            raise web.HTTPNotFound()
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(
            ("Exchange", "Token", "Lotsize", "Symbol", "Tradingsymbol", "Instrument", "Expiry",
             "Strike", "Optiontype")
        )  # fmt: skip
        for row in self.file_rows(exchange):
            index_contract = ("NSE_INDEX", row.name) in self.rows or row.name == "SENSEX"
            if (
                "Derivatives" in name
                and name[:3] in ("Nfo", "Bfo")
                and (index_contract != ("Index" in name))
            ):
                continue
            kind = {"NSE": "INDEX", "BSE": "UNDIND"}[exchange] if row.is_index else "EQ"
            if row.expiry is None:
                writer.writerow(
                    (exchange, row.token, 1, row.symbol, self.name(row), kind, "", "", "")
                )
                continue
            option = "XX" if row.instrument_type == "FUT" else row.instrument_type
            writer.writerow(
                (exchange, row.token, row.lot_size, row.name, self.name(row), "FUT",
                 f"{row.expiry:%d-%b-%Y}".upper(), f"{row.strike:g}", option)
            )  # fmt: skip
        return web.Response(text=out.getvalue(), content_type="text/csv")
