"""``import``: what an OpenAlgo server's own database knows and this program can use. The file is
opened read only; the server may be running.

Taken: webhook strategies with their ids (addresses of alerts stay as they are), the watch lists of
its charts, and with ``--env`` the API limits. Orders, positions, keys and secrets are not read.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from openalgo_desktop.config.openalgo_env import NAMES, read_env_file
from openalgo_desktop.config.operations import operation
from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.shell.hands import ask
from openalgo_desktop.trading.webhooks import (
    SymbolMap,
    WebhookKind,
    WebhookMode,
    WebhookStrategy,
    check,
)

#: Strategy table, its table of symbols, the column of the symbol, kind. Names are those of the
#: server's schema.
_STRATEGIES = (
    ("strategies", "strategy_symbol_mappings", "symbol", WebhookKind.STRATEGY),
    ("chartink_strategies", "chartink_symbol_mappings", "chartink_symbol", WebhookKind.CHARTINK),
)


class Found(msgspec.Struct):
    """What the database has. ``problems`` say what cannot be taken and why."""

    strategies: list[WebhookStrategy] = []
    symbols: list[str] = []
    limits: dict[str, str] = {}
    problems: list[str] = []


def run(args: argparse.Namespace) -> int:
    """Read, say what was found, take it; 1 when something could not be taken."""
    found = read(database_file(args.database), args.env)
    for line in described(found):
        print(line)
    if not args.dry_run:
        found.problems += taken(args, found)
    for problem in found.problems:
        print(f"not taken: {problem}")
    return 1 if found.problems else 0


def database_file(path: Path) -> Path:
    """The database itself, or the one in a server's folder."""
    if path.is_dir():
        path = next(
            (p for p in (path / "db" / "openalgo.db", path / "openalgo.db") if p.exists()), path
        )
    if not path.is_file():
        raise ConfigError(f"{path}: no database here. It is usually db/openalgo.db of the server.")
    return path


def read(database: Path, env: Path | None = None) -> Found:
    """What can be taken. Raises :class:`ConfigError` for a file that is no SQLite database."""
    found = Found()
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
            for table, mappings, column, kind in _STRATEGIES:
                if table in tables:
                    symbols = _rows(db, mappings) if mappings in tables else []
                    for row in _rows(db, table):
                        own = [one for one in symbols if one["strategy_id"] == row["id"]]
                        _take(found, row, own, column, kind)
            if {"watchlists", "watchlist_items"} <= tables:
                items = sorted(_rows(db, "watchlist_items"), key=lambda row: row["id"])
                found.symbols = [f"{row['exchange']}:{row['symbol']}" for row in items]
    except sqlite3.Error as error:
        raise ConfigError(f"{database} cannot be read as an OpenAlgo database: {error}.") from None
    except KeyError as error:
        raise ConfigError(f"{database}: a table has no column {error}.") from None
    if env is not None:
        found.limits = _limits(env)
    return found


def _rows(db: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in db.execute(f'SELECT * FROM "{table}"')]


def _take(
    found: Found,
    row: dict[str, Any],
    symbols: list[dict[str, Any]],
    column: str,
    kind: WebhookKind,
) -> None:
    name = str(row["name"])
    try:
        strategy = WebhookStrategy(
            webhook_id=str(row["webhook_id"]),
            name=name,
            kind=kind,
            mode=WebhookMode(str(row.get("mode") or "LONG").upper()),
            symbols=tuple(
                SymbolMap(
                    str(one.get(column) or one["symbol"]),
                    str(one["exchange"]),
                    int(one["quantity"]),
                    Product(str(one.get("product_type") or "MIS").upper()),
                )
                for one in symbols
            ),
            active=bool(row.get("is_active", True)),
            intraday=bool(row.get("is_intraday", True)),
            **_hours(row),
        )
        check(strategy)
    except (ValueError, TypeError) as error:
        found.problems.append(f"{name}: {error}")
    except AppError as error:
        found.problems.append(f"{name}: {error.message}")
    else:
        found.strategies.append(strategy)


def _hours(row: dict[str, Any]) -> dict[str, str]:
    pairs = (("start", "start_time"), ("end", "end_time"), ("square_off", "squareoff_time"))
    return {name: str(row[column])[:5] for name, column in pairs if row.get(column)}


def _limits(env: Path) -> dict[str, str]:
    values = read_env_file(env)
    return {
        row.setting: values[row.name]
        for row in NAMES
        if row.setting.startswith("limits.") and values.get(row.name)
    }


def described(found: Found) -> Iterator[str]:
    """What was found, a line each; ids are secrets and are not shown."""
    for row in found.strategies:
        state = "" if row.active else ", off"
        yield f"webhook strategy {row.name}: {row.mode.value}, {len(row.symbols)} symbols{state}"
    for key, value in found.limits.items():
        yield f"setting {key} = {value}"
    if found.symbols:
        yield f"{len(found.symbols)} symbols of watch lists"
    if not (found.strategies or found.limits or found.symbols):
        yield "Nothing was found that can be taken."


def taken(args: argparse.Namespace, found: Found) -> list[str]:
    """Take everything over, through the running engine or into the data folder; returns what was
    refused. Raises :class:`ConfigError` when nothing can be done at all."""
    problems: list[str] = []
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("webhooks", "adopt", {"row": msgspec.json.encode(row).decode()})
        for row in found.strategies
    ]
    steps += [
        ("settings", "set", {"key": key, "value": value}) for key, value in found.limits.items()
    ]
    if found.symbols:
        steps.append(("engine", "watch", {"symbol": found.symbols}))
    secrets: dict[str, str] | None = None
    for group, verb, data in steps:
        row = operation(group, verb)
        assert row is not None
        answer, secrets = ask(args, row, data, secrets)
        if answer.get("status") != "success":
            problems.append(str(answer.get("message", "refused without a reason")))
    return problems
