"""``openalgo-desktop call`` against a running program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.shell.call import find_endpoint, parse_fields
from tests.e2e.driver import Program, command_line, environment


def run(program: Program, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            *command_line("call"),
            *("--data-dir", str(program.data_dir)),
            *arguments,
        ],
        env=environment(program.data_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_call(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as program:
        code, text = run(program, "quotes", "symbol=SBIN", "exchange=NSE")
        assert code == 0, text
        assert json.loads(text)["data"]["ltp"] > 0
        code, text = run(
            program,
            "placeorder",
            *("strategy=shell", "symbol=SBIN", "exchange=NSE", "action=BUY", "quantity=1"),
        )
        assert code == 0, text
        order_id = json.loads(text)["orderid"]
        book = program.call("orderbook")["data"]["orders"]
        assert [row["orderid"] for row in book] == [order_id]
        code, text = run(program, "orderstatus", "strategy=shell", "orderid=404")
        assert (code, json.loads(text)["message"]) == (1, "Order 404 not found")
        code, text = run(program, "ping", "--url", "http://127.0.0.1:9")
        assert code == 2
        assert "Is the program running?" in text
        code, text = run(program, "nothing")
        assert code == 2
        assert "placeorder" in text


def test_fields_follow_the_schema() -> None:
    row, _ = find_endpoint("margin")
    positions = '[{"symbol": "SBIN", "quantity": "10"}]'
    assert parse_fields(row, [f"positions={positions}"]) == {
        "positions": [{"symbol": "SBIN", "quantity": "10"}]
    }
    row, _ = find_endpoint("orderstatus")
    assert parse_fields(row, ["orderid=26112500000001"]) == {"orderid": "26112500000001"}
    row, rest = find_endpoint("/api/v1/ticker/NSE:SBIN")
    assert (row.method, rest) == ("GET", "NSE:SBIN")
    assert find_endpoint("chart")[0].method == "POST"
    assert find_endpoint("chart", "GET")[0].method == "GET"
    with pytest.raises(ConfigError, match="key=value"):
        parse_fields(row, ["nonsense"])
