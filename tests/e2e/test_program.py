"""The program as a process: ready file, data folder, key command, stopping and starting again."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.e2e.driver import START_TIMEOUT, Program, command_line, environment, run_command


def test_ready_file_and_clean_stop(tmp_path: Path) -> None:
    program = Program(tmp_path / "data", "--mode", "sandbox").start()
    ready_file = tmp_path / "data.ready"
    ready = json.loads(ready_file.read_text())
    assert set(ready) == {"pid", "rest_url", "ws_url", "api_key", "broker", "mode"}
    assert (ready["broker"], ready["mode"]) == ("simulator", "sandbox")
    assert ready["rest_url"].startswith("http://127.0.0.1:")
    assert ready["ws_url"].startswith("ws://127.0.0.1:")
    assert len(ready["api_key"]) == 64
    if os.name == "posix":
        assert stat.S_IMODE(ready_file.stat().st_mode) == 0o600
        os.kill(ready["pid"], 0)
    assert program.call("ping")["status"] == "success"
    assert program.stop() == 0
    assert not ready_file.exists()
    assert program.api_key not in program.output
    for log in (tmp_path / "data" / "logs").iterdir():
        assert program.api_key not in log.read_text(errors="replace")


def test_a_data_folder_has_one_owner(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as program:
        second = run_command(program.data_dir, "headless", "--rest-port", "0", "--ws-port", "0")
        assert second.returncode == 2
        assert "already running" in second.stderr and str(program.data_dir) in second.stderr
        assert f"process {program.pid}" in second.stderr
        assert program.call("ping")["status"] == "success"


def test_the_key_command_shows_the_same_key_always(tmp_path: Path) -> None:
    made = run_command(tmp_path / "data", "api-key")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert len(key) == 64
    with Program(tmp_path / "data") as program:
        assert program.api_key == key
        while_running = run_command(program.data_dir, "api-key")
        assert while_running.stdout.strip() == key, while_running.stderr


def test_a_restart_keeps_the_books_and_comes_up_in_the_sandbox(tmp_path: Path) -> None:
    order = {
        "strategy": "e2e",
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": "BUY",
        "pricetype": "MARKET",
        "product": "MIS",
        "quantity": 10,
    }
    with Program(tmp_path / "data", "--mode", "live", "--sim-seed", "7") as program:
        live = program.call("placeorder", **order)["orderid"]
        program.call("analyzer/toggle", mode=True)
        paper = program.call("placeorder", **order)["orderid"]
        key = program.api_key
        program.call("analyzer/toggle", mode=False)
    with Program(tmp_path / "data", "--sim-seed", "7") as program:
        assert program.ready["mode"] == "sandbox" and program.api_key == key
        rows = program.call("orderbook")["data"]["orders"]
        assert [row["orderid"] for row in rows] == [paper]
        (position,) = program.call("positionbook")["data"]
        assert position["quantity"] == 10
        program.call("analyzer/toggle", mode=False)
        rows = program.call("orderbook")["data"]["orders"]
        assert [row["orderid"] for row in rows] == [live]


def test_a_busy_port_is_explained(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for option, setting in (("--rest-port", "api.rest_port"), ("--ws-port", "api.ws_port")):
            other = "--ws-port" if option == "--rest-port" else "--rest-port"
            done = run_command(tmp_path / "data", "headless", option, port, other, "0")
            assert done.returncode == 2
            assert port in done.stderr and setting in done.stderr and "in use" in done.stderr


@pytest.mark.parametrize("options", [("--set", "no.such=1"), ("--set", "api.rest_port=x")])
def test_bad_options_end_with_a_message(tmp_path: Path, options: tuple[str, str]) -> None:
    done = subprocess.run(
        [*command_line("headless"), "--data-dir", str(tmp_path), *options],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT,
        check=False,
    )
    assert done.returncode == 2
    assert options[1].partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_names_of_an_openalgo_server_count_or_are_named(tmp_path: Path) -> None:
    """The file that users of OpenAlgo really have, in a real start."""
    file = tmp_path / "their.env"
    file.write_text(
        "BROKER_API_KEY = 'abc'\n"
        "WEBSOCKET_HOST='0.0.0.0'\n"
        "WEBSOCKET_URL='ws://stream.example.org:8765'\n"
        "DATABASE_URL = 'sqlite:///db/openalgo.db'\n"
        "LATENCY_DATABASE_URL = 'sqlite:///db/latency.db'\n"
        "SANDBOX_DATABASE_URL = 'sqlite:///db/sandbox.db'\n"
    )
    options = ("--sim-frozen", "--env-file", str(file))
    with Program(tmp_path / "data", *options) as program:
        said = program.output.splitlines()
        assert program.rest_url.startswith("http://127.0.0.1:")  # no file opens the machine
        with program.http() as http:
            page = http.request("GET", "/openapi.json", headers={"Host": "stream.example.org"})
        assert page[0] == 200
    for words in (
        (str(file), "gives api.allowed_hosts"),
        ("WEBSOCKET_HOST", "is not used"),
        ("DATABASE_URL of", "left alone"),
        ("LATENCY_DATABASE_URL", "is ignored"),
        ("SANDBOX_DATABASE_URL", "is ignored"),
        ("BROKER_API_KEY", "without a meaning"),
    ):
        assert any(all(word in line for word in words) for line in said), (words, said)
