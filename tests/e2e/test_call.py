"""``openalgo-desktop call`` against a running program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.local_api.endpoints import CONTROL, TABLE
from openalgo_desktop.runtime.hands.endpoint import describe
from openalgo_desktop.shell.call import parse_fields
from tests.e2e.driver import START_TIMEOUT, Program, command_line, environment


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
        timeout=START_TIMEOUT,
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
    rows = (*TABLE, CONTROL)
    positions = '[{"symbol": "SBIN", "quantity": "10"}]'
    assert parse_fields(describe(rows, "margin")["texts"], [f"positions={positions}"]) == {
        "positions": [{"symbol": "SBIN", "quantity": "10"}]
    }
    facts = describe(rows, "orderstatus")
    fields = parse_fields(facts["texts"], ["orderid=26112500000001"])
    assert fields == {"orderid": "26112500000001"}
    facts = describe(rows, "/api/v1/ticker/NSE:SBIN")
    assert (facts["method"], facts["route"], facts["rest"]) == (
        "GET",
        "/api/v1/ticker/",
        "NSE:SBIN",
    )
    assert describe(rows, "chart")["method"] == "POST"
    assert describe(rows, "chart", "GET")["method"] == "GET"
    with pytest.raises(ConfigError, match=r"Did you mean quotes"):
        describe(rows, "quote")
    with pytest.raises(ConfigError, match="key=value"):
        parse_fields(facts["texts"], ["nonsense"])


def test_loopback_is_never_asked_through_a_proxy(tmp_path: Path) -> None:
    dead = dict.fromkeys(
        ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9"
    )
    with Program(tmp_path / "data") as program:
        done = subprocess.run(
            [*command_line("call"), "--data-dir", str(program.data_dir), "ping"],
            env=environment(program.data_dir) | dead,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
