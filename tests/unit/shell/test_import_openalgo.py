"""What ``import`` takes from an OpenAlgo server's database, and that it leaves the file alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.shell.import_openalgo import database_file, described, read
from openalgo_desktop.shell.main import main
from openalgo_desktop.trading.webhooks import WebhookKind, WebhookMode

ID, SCAN = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
_SCHEMA = """
CREATE TABLE strategies (id INTEGER PRIMARY KEY, name TEXT, webhook_id TEXT, user_id TEXT,
  platform TEXT, mode TEXT, is_active BOOLEAN, is_intraday BOOLEAN, start_time TEXT, end_time TEXT,
  squareoff_time TEXT);
CREATE TABLE strategy_symbol_mappings (id INTEGER PRIMARY KEY, strategy_id INTEGER, symbol TEXT,
  exchange TEXT, segment TEXT, quantity INTEGER, product_type TEXT);
CREATE TABLE chartink_strategies (id INTEGER PRIMARY KEY, name TEXT, webhook_id TEXT, user_id TEXT,
  is_active BOOLEAN, is_intraday BOOLEAN, start_time TEXT, end_time TEXT, squareoff_time TEXT);
CREATE TABLE chartink_symbol_mappings (id INTEGER PRIMARY KEY, strategy_id INTEGER,
  chartink_symbol TEXT, exchange TEXT, quantity INTEGER, product_type TEXT);
CREATE TABLE watchlists (id INTEGER PRIMARY KEY, user_id TEXT, name TEXT, position INTEGER);
CREATE TABLE watchlist_items (id INTEGER PRIMARY KEY, watchlist_id INTEGER, symbol TEXT,
  exchange TEXT, position INTEGER);
"""


@pytest.fixture
def server(tmp_path: Path) -> Path:
    folder = tmp_path / "server" / "db"
    folder.mkdir(parents=True)
    db = sqlite3.connect(folder / "openalgo.db")
    db.executescript(_SCHEMA)
    insert = "INSERT INTO {} VALUES ({})"
    for table, row in (
        ("strategies", (1, "EMA", ID, "u", "tradingview", "BOTH", 1, 1, "09:30", "15:00", "15:10")),
        ("strategies", (2, "Broken", "x", "u", "python", "BOTH", 1, 1, "15:00", "09:30", "15:10")),
        ("strategy_symbol_mappings", (1, 1, "SBIN", "NSE", "CASH", 10, "MIS")),
        ("strategy_symbol_mappings", (2, 1, "INFY", "NSE", "CASH", 5, "CNC")),
        ("chartink_strategies", (1, "Scan", SCAN, "u", 0, 0, None, None, None)),
        ("chartink_symbol_mappings", (1, 1, "TCS", "NSE", 2, "CNC")),
        ("watchlists", (1, "u", "Mine", 0)),
        ("watchlist_items", (1, 1, "SBIN", "NSE", 0)),
        ("watchlist_items", (2, 1, "NIFTY", "NSE_INDEX", 1)),
    ):
        db.execute(insert.format(table, ", ".join("?" * len(row))), row)
    db.commit()
    db.close()
    return tmp_path / "server"


def test_strategies_keep_their_ids_and_symbols(server: Path) -> None:
    found = read(database_file(server))
    ema, scan = found.strategies
    assert (ema.webhook_id, ema.kind, ema.mode) == (ID, WebhookKind.STRATEGY, WebhookMode.BOTH)
    assert (ema.start, ema.end, ema.square_off) == ("09:30", "15:00", "15:10")
    assert [(s.symbol, s.quantity, s.product) for s in ema.symbols] == [
        ("SBIN", 10, Product.MIS),
        ("INFY", 5, Product.CNC),
    ]
    assert (scan.webhook_id, scan.kind, scan.active, scan.intraday) == (
        SCAN,
        WebhookKind.CHARTINK,
        False,
        False,
    )
    assert found.symbols == ["NSE:SBIN", "NSE_INDEX:NIFTY"]
    assert found.problems == ["Broken: end: must be after start and not after square_off."]
    assert ID not in "\n".join(described(found))


def test_the_command_takes_them_once_and_leaves_the_file_alone(
    server: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    database = database_file(server)
    before = database.read_bytes()
    env = server / ".env"
    env.write_text("ORDER_RATE_LIMIT = '25 per second'\nBROKER_API_SECRET = 'hidden'\n")
    data = ["--data-dir", str(tmp_path / "data")]
    command = ["import", str(server), "--env", str(env), *data]
    assert main([*command, "--dry-run"]) == 1  # the broken one
    assert main(command) == 1
    text = capsys.readouterr().out
    assert "webhook strategy EMA: BOTH, 2 symbols" in text
    assert "limits.order = 25 per second" in text and "hidden" not in text
    assert main(["webhooks", "show", "EMA", *data]) == 0
    assert ID in capsys.readouterr().out
    assert main(["settings", "get", "limits.order", *data]) == 0
    assert "25 per second" in capsys.readouterr().out
    assert main(command) == 1
    assert "is here already" in capsys.readouterr().out
    assert database.read_bytes() == before and list(database.parent.iterdir()) == [database]


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no database here"):
        database_file(tmp_path)
    junk = tmp_path / "openalgo.db"
    junk.write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(ConfigError, match="cannot be read as an OpenAlgo database"):
        read(junk)
