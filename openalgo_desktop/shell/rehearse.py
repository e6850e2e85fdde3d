"""``rehearse``: a hosted program over days of the simulated market, at many times their speed."""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path

import msgspec

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.strategies.hosted import Hosted
from openalgo_desktop.core.strategies.rehearsal import Rehearsal, RehearsalWish
from openalgo_desktop.runtime.rehearsal import rehearse, to_json
from openalgo_desktop.shell.options import run_async, terminal_options
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.state import KeyValueStore


def run(args: argparse.Namespace) -> int:
    """Rehearse and report; 1 where the program failed on some day."""
    return run_async(_rehearse(args))


async def _rehearse(args: argparse.Namespace) -> int:
    options = terminal_options(args)
    home = DataDirectory(options.data_dir)
    home.create()
    kept = None
    path = _path(args.program)
    if not path:
        path, kept = await _found(args.program, home)
    wish = RehearsalWish(
        path=path,
        kept=kept,
        first=args.day or _last_day(SystemClock(options.clock_start).now().date()),
        days=args.days,
        begin=args.begin,
        end=args.end,
        pace=args.speed,
        seed=args.sim_seed,
        parameters=tuple(args.parameter),
    )
    told = _nothing if args.json else _say
    found = await rehearse(wish, home, dict(options.overrides), told)
    if args.json:
        print(to_json(found).decode())
    else:
        _report(found, output=args.output)
    return 1 if any(day.failed for day in found.days) else 0


def _say(text: str) -> None:
    print(text, flush=True)


def _nothing(_text: str) -> None:
    """The report alone."""


def _last_day(today: date) -> date:
    calendar = MarketCalendar.from_json(resource_text("calendar/holidays.json"))
    return calendar.previous_trading_day(today)


def _path(program: str) -> str:
    """The file, folder or sample that was named; empty where that is none."""
    if program.startswith("sample:"):
        return program
    path = os.path.expanduser(program)
    return path if os.path.exists(path) else ""


async def _found(program: str, home: DataDirectory) -> tuple[str, Hosted]:
    """Where a program lies that was added to the terminal of this data folder, and how it is set.
    Raises :class:`ConfigError`."""
    database = Database(home.database_url)
    await database.start()
    try:
        rows = await KeyValueStore(database).all("hosted")
    finally:
        await database.stop()
    found = [msgspec.convert(row, Hosted) for key, row in rows.items() if key != "seen"]
    for row in found:
        if program.strip().lower() in (row.name.lower(), row.strategy_id):
            folder = Path(row.folder)
            return str(folder / row.entry if row.single else folder), row
    names = [row.name for row in found]
    raise ConfigError(
        f"program: {program!r} is no file, no folder and no program of this terminal."
        f"{did_you_mean(program, names)} Samples are named sample:NAME."
    )


# -- the report -----------------------------------------------------------------------------
def _report(found: Rehearsal, *, output: bool) -> None:
    if output:
        print("\nOutput (its last lines)", *found.lines, sep="\n  ")
    print(f"\n{found.name}: simulated market, sandbox")
    for day in found.days:
        refused = f", {day.refused} refused" if day.refused else ""
        print(f"  {day.day}  {day.orders} orders{refused}, {day.fills} fills, net {day.net:,.2f}")
        if day.reason:
            print(f"    it ended before its time: {day.reason}")
        if day.left:
            print(f"    left open: {', '.join(day.left)}")
    for name, value in _figures(found):
        print(f"  {name:<22}{value}")


def _figures(found: Rehearsal) -> list[tuple[str, str]]:
    figures = found.figures
    win_rate = "unknown" if figures.win_rate is None else f"{figures.win_rate:.1f} %"
    sharpe = "unknown (of five days or more)" if found.sharpe is None else f"{found.sharpe:.2f}"
    return [
        ("Round trips", f"{figures.trades}, {figures.wins} won, {figures.losses} lost"),
        ("Won", win_rate),
        ("Gross, rupees", f"{figures.gross:,.2f}"),
        ("Charges, rupees", f"{figures.charges:,.2f}"),
        ("Net, rupees", f"{figures.net:,.2f}"),
        ("Largest fall, rupees", f"{figures.max_drawdown:,.2f}"),
        ("Time in the market", f"{found.exposure * 100:.0f} %"),
        ("Sharpe, annualised", sharpe),
    ]
