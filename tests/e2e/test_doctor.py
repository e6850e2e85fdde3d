"""``doctor`` as a process: what counts, where it comes from, what runs, and no secret."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop import __version__
from tests.e2e.driver import Program, run
from tests.e2e.driver import environment as _environment


def doctor(folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    got, text = run(folder, "doctor", "--json", *options)
    assert got == code, text
    found: dict[str, Any] = json.loads(text)
    return found


def origins(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {row["key"]: (row["value"], row["from"]) for row in found["settings"]}


def test_of_a_folder_on_which_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    found = doctor(folder)
    assert found["program"]["version"] == __version__
    assert found["program"]["python"].startswith(platform.python_version())
    assert found["libraries"]["msgspec"][0].isdigit()
    assert found["running"] == {} and found["problems"] == []
    assert not folder.exists()  # it only looks
    assert origins(found)["api.rest_port"] == ("5000", "default")

    assert run(folder, "settings", "set", "limits.order", "7 per second")[0] == 0
    env = tmp_path / "their.env"
    env.write_text("WEBSOCKET_PORT = '8899'\nLOG_LEVEL = 'DEBUG'\nFLASK_DEBUG = 'x'\n")
    monkeypatch.setenv("FLASK_PORT", "5077")
    found = doctor(folder, "--env-file", str(env), "--set", "ui.theme=light")
    values = origins(found)
    assert values["limits.order"] == ("7 per second", "stored")
    assert values["api.rest_port"] == ("5077", "FLASK_PORT of the environment")
    assert values["api.ws_port"] == ("8899", f"WEBSOCKET_PORT of {env}")
    assert values["ui.theme"] == ("light", "--set")
    assert values["api.host"] == ("127.0.0.1", "default")
    assert values["brokers.zerodha.hosts.rest"] == ("", "default")
    assert found["folders"][".env file"] == str(env)
    assert found["folders"]["data"] == str(folder)
    assert Path(found["folders"]["logs"]).is_dir()
    assert any("FLASK_DEBUG" in note for note in found["notes"])

    text = run(folder, "doctor")[1]
    assert "nothing runs on this data folder" in text
    assert re.search(r"limits\.order +7 per second +stored", text)


def test_of_a_running_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_RATE_LIMIT", "9 per minute")
    program = Program(tmp_path / "data", "--sim-frozen", settings=("log.keep_days=3",))
    with program:
        monkeypatch.delenv("WEBHOOK_RATE_LIMIT")
        assert run(program.data_dir, "settings", "set", "api.ws_port", "8799")[0] == 0
        told = json.loads((program.data_dir / "running.json").read_text())
        found = doctor(program.data_dir, "--set", "log.keep_days=9")
        running = found["running"]
        assert running["process"] == str(program.pid)
        assert running["rest"] == program.rest_url
        assert running["websocket"] == told["ws_url"]
        assert program.rest_url.removeprefix("http://") in running["listens on"]
        assert running["since"] == f"{told['since']} IST"
        assert found["folders"]["database"] == running["database"]
        values = origins(found)  # the engine's own, not those of this command
        assert values["log.keep_days"] == ("3", "--set")
        assert values["api.rest_port"] == ("0", "--rest-port")
        assert values["limits.webhook"] == ("9 per minute", "WEBHOOK_RATE_LIMIT of the environment")
        # It is bound already: what was stored meanwhile does not count yet.
        assert values["api.ws_port"] == ("8799", "stored, from the next start on")

        shown = run(program.data_dir, "doctor")[1] + json.dumps(found)
        assert program.rest_url in shown
        for secret in (told["control_token"], program.api_key):
            assert secret not in shown


def test_no_password_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    url = "brokers.zerodha.hosts.rest=http://user:hunter22@proxy.example/"
    monkeypatch.setattr(
        "tests.e2e.driver.environment",
        lambda home: _environment(home) | {"OPENALGO_DATABASE_URL": "postgresql://u:pass99@h/d"},
    )
    code, text = run(folder, "doctor", "--set", url)
    assert "proxy.example" in text and "hunter22" not in text
    assert "@h/d" in text and "pass99" not in text
    assert code == 1 and "problems" in text  # there is no such server, and the rest is told


def test_what_is_broken_is_named_and_the_rest_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert run(folder, "keys", "list")[0] == 0
    (folder / "config" / "vault.json").write_text("{")
    found = doctor(folder, code=1)
    assert "vault.json cannot be read" in found["problems"][0]
    assert found["program"]["version"] == __version__
    assert "api.rest_port" in origins(found)


@pytest.mark.skipif(os.name != "posix", reason="stops a process in the way of POSIX")
def test_an_engine_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with Program(tmp_path / "data", "--sim-frozen") as program:
        os.kill(program.pid, signal.SIGSTOP)
        try:
            found = doctor(program.data_dir, code=1)
        finally:
            os.kill(program.pid, signal.SIGCONT)
        assert "No answer from the running program" in found["problems"][0]
        assert found["running"]["process"] == str(program.pid)
