"""Symbol search as a curve over the size of the symbol master.

Each query is typed letter by letter, as in the window; the longest and the typical key are told,
beside the documented search of the API and the time to build both indexes. The floor of the first
is one look-up by bisection and fifty rows from a dict; that of the second one pass over all texts.

    .venv/bin/python bench/search.py [--sizes 1000 10000 50000 150000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.config.resources import resource_text  # noqa: E402
from openalgo_desktop.core.instruments import InstrumentTable  # noqa: E402
from openalgo_desktop.core.model import Instrument  # noqa: E402
from openalgo_desktop.core.search_query import Aliases  # noqa: E402
from openalgo_desktop.core.symbols import future_symbol, option_symbol  # noqa: E402

#: Milliseconds for the longest key, at 150,000 instruments.
AIM = 10.0
TODAY = date(2026, 11, 24)
QUERIES = (
    "bnf fut", "gold mini", "nifty 26 dec", "infosys", "nifty 25000 ce", "reliance", "500112",
    "NIFTY29DEC2625000CE", "zzzzz", "e", "25000 pe", "tata motors",
)  # fmt: skip
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def master(size: int) -> list[Instrument]:
    """Rows in the proportions of a real master: a fifth shares, the rest contracts."""
    rows = [
        Instrument("NIFTY", "NSE_INDEX", "NIFTY 50", "INDEX"),
        Instrument("BANKNIFTY", "NSE_INDEX", "NIFTY BANK", "INDEX"),
        Instrument("INFY", "NSE", "INFOSYS LIMITED", token="1594"),
        Instrument("RELIANCE", "NSE", "RELIANCE INDUSTRIES LTD", token="2885"),
    ]
    for number in range(size // 10):
        a, b = divmod(number * 7919 % (26**4), 26 * 26)
        symbol = "".join(_LETTERS[n] for n in (*divmod(a, 26), *divmod(b, 26))) + str(number % 10)
        name = f"{symbol.title()} INDUSTRIES {_LETTERS[number % 26]} LTD"
        for exchange in ("NSE", "BSE"):
            rows.append(
                Instrument(symbol, exchange, name, token=str(500_000 + number), brsymbol=symbol)
            )
    bases = [("MCX", "GOLDM", 100_000, 100), ("NFO", "NIFTY", 25_000, 50)]
    bases += [("NFO", "BANKNIFTY", 55_000, 100), ("NFO", "INFY", 1_500, 10)]
    bases += [("NFO", row.symbol, 1_000, 10) for row in rows[4 : 4 + 2 * 180 : 2]]
    expiries = [TODAY + timedelta(days=7 * week) for week in range(12)]
    for week, expiry in enumerate(expiries):
        for exchange, base, spot, step in bases:
            if week % 4 == 0:
                symbol = future_symbol(base, expiry)
                rows.append(Instrument(symbol, exchange, base, "FUT", 50, 0.05, expiry))
            for offset in range(-40, 41):
                for kind in ("CE", "PE"):
                    if len(rows) >= size:
                        return rows
                    strike = float(spot + offset * step)
                    symbol = option_symbol(base, expiry, strike, kind)
                    rows.append(
                        Instrument(symbol, exchange, base, kind, 50, 0.05, expiry, strike,
                                   token=str(len(rows)), brsymbol=symbol)
                    )  # fmt: skip
    return rows


def best(work: Callable[[], Any], times: int = 5) -> float:
    """Milliseconds of the quickest of some runs."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return min(spent) * 1000.0


def measure(size: int) -> None:
    rows = master(size)
    began = time.process_time()
    table = InstrumentTable.of(rows)
    build = (time.process_time() - began) * 1000.0
    table.aliases = Aliases.from_json(resource_text("search/aliases.json"))
    prices = {"NIFTY": 25_012.0, "BANKNIFTY": 55_060.0}
    keys: dict[str, float] = {}
    for query in QUERIES:
        for length in range(1, len(query) + 1):
            typed = query[:length]
            keys[typed] = best(lambda t=typed: table.find(t, TODAY, lambda e, n: prices.get(n)))
    api = {query: best(lambda q=query: table.search(q), 3) for query in QUERIES}
    names, some = sorted(row.symbol for row in rows), [row.key for row in rows[:50]]
    quick = best(lambda: (bisect_left(names, "NIFTY"), [table.get(key) for key in some]))
    texts = "".join(f"{row.symbol}{row.brsymbol}{row.name}{row.token}" for row in rows)
    scan = best(lambda: texts.find("\x00zz"))
    slowest, slowest_api = max(keys, key=keys.__getitem__), max(api, key=api.__getitem__)
    print(
        f"{len(rows):>8,}  key {statistics.median(keys.values()):6.2f} ms, longest "
        f"{keys[slowest]:6.2f} ({slowest!r}), floor {quick:5.2f} | API "
        f"{statistics.median(api.values()):6.1f}, longest {api[slowest_api]:6.1f} "
        f"({slowest_api!r}), floor {scan:5.2f} | built with {build:5.0f} ms of CPU"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 50_000, 150_000])
    for size in parser.parse_args().sizes:
        measure(size)
    print(f"aim: longest key at most {AIM:g} ms at 150,000")


if __name__ == "__main__":
    main()
