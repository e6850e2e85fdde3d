"""The command line where it has no window and no engine: audit; and run.py knows every command."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.shell import parser
from openalgo_desktop.shell.main import main
from openalgo_desktop.storage.audit import AuditTrail
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from tests.e2e.driver import environment


def test_run_py_knows_every_command_that_has_no_window():
    path = Path(__file__).parents[3] / "run.py"
    spec = importlib.util.spec_from_file_location("run_py", path)
    assert spec is not None and spec.loader is not None
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    (commands,) = (
        action.choices
        for action in parser.build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    assert set(commands) - {"gui"} <= run.OTHER_COMMANDS


def test_audit_shows_and_exports_the_trail(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    async def fill() -> None:
        directory = DataDirectory(tmp_path)
        directory.create()
        database = Database(directory.database_url)
        await database.start()
        now = SystemClock().now()
        trail = AuditTrail(database)
        trail.record(AuditEntry(now, "window", "mode", "live"))
        trail.record(AuditEntry(now, "api:a", "setting", "risk.max_lots"))
        trail.record(AuditEntry(now - timedelta(days=30), "window", "mode", "old"))
        await database.stop()

    asyncio.run(fill())
    common = ["audit", "--data-dir", str(tmp_path)]
    assert main([*common, "mode"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("window  mode  live")
    path = tmp_path / "trail.csv"
    assert main([*common, "--days", "60", "--csv", str(path)]) == 0
    assert "3 entries written" in capsys.readouterr().out
    assert len(path.read_text().splitlines()) == 4


def test_a_mistyped_command_is_named_with_near_misses(capsys: pytest.CaptureFixture[str]):
    assert main(["haedless"]) == 2
    assert "no command 'haedless'. Did you mean headless?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["headless", "--set", "rest_port=1"])
    assert "Did you mean api.rest_port" in capsys.readouterr().err


def test_a_path_is_of_the_folder_of_the_command():
    parsed = parser.build_parser().parse_args(["strategy", "add", "mine.py"])
    assert parsed.path == str(Path("mine.py").absolute())
    parsed = parser.build_parser().parse_args(["strategy", "add", "sample:pairs"])
    assert parsed.path == "sample:pairs"


def test_options_may_come_before_the_command():
    assert parser.with_command(["--data-dir", "x", "headless"]) == ["headless", "--data-dir", "x"]
    assert parser.with_command(["--data-dir", "x"]) == ["gui", "--data-dir", "x"]
    assert parser.with_command([]) == ["gui"]


@pytest.mark.parametrize("command", ["call", "login", "doctor", "audit"])
def test_own_options_come_before_those_of_the_engine(
    command: str, capsys: pytest.CaptureFixture[str]
):
    own = {"call": "--url", "login": "--logout", "doctor": "--bundle", "audit": "--who"}[command]
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out.partition("\n\n")[2]
    assert text.index(own) < text.index("engine options") < text.index("--rest-port")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["headless", "--rest-prt", "1"], "headless does not know '--rest-prt'. Did you mean --re"),
        (
            ["settings", "set", "a", "b", "--jsn"],
            "settings set does not know '--jsn'. Did you mean",
        ),
        (["audit", "--csvv=x"], "audit does not know '--csvv'. Did you mean --csv"),
        (["kill", "status", "now"], "kill status does not know 'now'. `openalgo-desktop kill"),
        (["call", "ping", "--url", "nonsense"], "--url: 'nonsense' must be such as http://"),
        (["screenshot", "--out", f"{__file__}/x"], "--out: the folder"),
        (["audit", "--csv", f"{__file__}/x"], "cannot be written"),
        (["doctor", "--bundle", f"{__file__}/x"], "cannot be written"),
        (["headless", "--sim-universe", f"{__file__}/x"], "--sim-universe"),
        (["headless", "--ready-file", f"{__file__}/x", "--sim-frozen"], "--ready-file"),
        (["headless", "--env-file", f"{__file__}/x"], "cannot be read"),
        (["doctor", "zerodh"], "Unknown broker 'zerodh'"),
    ],
)
def test_what_is_wrong_in_a_command_is_a_sentence(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    command = [*arguments, "--data-dir", str(tmp_path)]
    if arguments[0] == "headless":
        command += ["--set", "api.rest_port=0", "--set", "api.ws_port=0"]
    assert main(command) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert line.startswith("openalgo-desktop: ") and said in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_that_nobody_can_take_is_said_in_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "openalgo_desktop", "settings", "list"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*command, "--data-dir", str(tmp_path / "data")],
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("openalgo-desktop: the output cannot be written: ")
    assert len(done.stderr.splitlines()) == 1
