"""A hosted program over a part of a simulated day, in real processes, many times as fast."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import time
from datetime import date, datetime
from datetime import time as clock_time
from pathlib import Path

import pytest

from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.rehearsal import Rehearsal, RehearsalWish
from openalgo_desktop.runtime import rehearsal
from openalgo_desktop.storage.datadir import DataDirectory

DAY = date(2026, 11, 27)  # a Friday
BEGIN = datetime(2026, 11, 27, 10, 0, tzinfo=IST)

#: Buys at its first look, sells two of its minutes later, and tells what the API lets it see.
SCRIPT = """
import datetime, json, os, time, urllib.request

def call(path, **fields):
    body = json.dumps({"apikey": os.environ["OPENALGO_API_KEY"], **fields}).encode()
    request = urllib.request.Request(
        os.environ["OPENALGO_HOST"] + "/api/v1/" + path, body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)

def order(action):
    return call("placeorder", strategy="any", symbol="SBIN", exchange="NSE", action=action,
                pricetype="MARKET", product="MIS", quantity=1)["status"]

IST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
begun = datetime.datetime.now(IST)
print("began", begun.isoformat())
print(order("BUY"))
time.sleep(120)
day = str(begun.date())
bars = call("history", symbol="SBIN", exchange="NSE", interval="1m", start_date=day, end_date=day)
now = time.time()
print("seen", json.dumps([bar["timestamp"] <= now for bar in bars["data"]].count(False)))
print("last", now - bars["data"][-1]["timestamp"] < 120)
print(order("SELL"))
"""


def rehearsed(path: Path, home: Path, told: list[str], **fields: object) -> Rehearsal:
    given: dict[str, object] = {"pace": 60.0, "begin": BEGIN.time(), "end": clock_time(14, 0)}
    wish = RehearsalWish(path=str(path), **{"first": DAY} | given | fields)  # type: ignore[arg-type]
    directory = DataDirectory(home)
    directory.create()
    return asyncio.run(rehearsal.rehearse(wish, directory, {}, told.append))


def test_the_same_file_runs_through_a_simulated_morning(tmp_path: Path) -> None:
    script, home = tmp_path / "one.py", tmp_path / "home"
    script.write_text(SCRIPT)
    told: list[str] = []
    found = rehearsed(script, home, told)
    lines = dict(line.split(" ", 1) for line in found.lines if line.startswith(("began", "seen")))
    # It lives on the clock of the rehearsal, whose first minute waits for its process.
    began = datetime.fromisoformat(lines["began"])
    assert 0 <= (began - BEGIN).total_seconds() < 240
    assert lines["seen"] == "0" and "last True" in found.lines  # nothing of the future
    (day,) = found.days
    assert (day.orders, day.refused, day.fills, day.left) == (2, 0, 2, ())
    assert (day.reason, day.failed) == ("It ended by itself (exit code 0).", False)
    assert [line.split()[1:3] for line in told[1:3]] == [["BUY", "1"], ["SELL", "1"]]
    assert found.figures.trades == 1 and found.figures.charges > 0
    assert found.figures.net == day.net and found.sharpe is None
    assert 2 / 240 <= found.exposure < 0.5  # its two minutes of four hours
    assert json.loads(rehearsal.to_json(found))["name"] == "one"
    # Nothing of it is in the user's folder.
    assert not (home / "openalgo.db").exists() and os.listdir(home / "strategies") == ["venvs"]


def test_a_day_without_a_market_and_a_program_that_is_none(tmp_path: Path) -> None:
    script = tmp_path / "one.py"
    script.write_text("print(1)\n")
    with pytest.raises(ConfigError, match=r"closed on Saturday, 28 Nov 2026.* 2026-11-30"):
        rehearsed(script, tmp_path / "home", [], first=date(2026, 11, 28))
    with pytest.raises(ConfigError, match=r"nothing is left between 15:40 and 15:25"):
        rehearsed(script, tmp_path / "home", [], begin=clock_time(15, 40), end=None)


def on_clock(script: str, pace: float = 100) -> list[str]:
    told = f"{time.monotonic()} {BEGIN.timestamp()} {pace}"
    surround = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "OPENALGO_REHEARSAL": told,
        "PYTHONPATH": str(resource_path("rehearsal")),
        "TZ": "UTC",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        env=surround, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_script_waits_and_reads_the_time_of_the_rehearsal() -> None:
    lines = on_clock(
        """
        import asyncio, queue, threading, time
        from datetime import date, datetime, timezone
        from time import perf_counter
        real, seen = perf_counter(), []
        def waits(wait):
            before = time.time()
            wait()
            seen.append(time.time() - before)
        waits(lambda: time.sleep(20))
        waits(lambda: threading.Event().wait(20))
        waits(lambda: asyncio.run(asyncio.sleep(20)))
        condition = threading.Condition()
        with condition:
            waits(lambda: condition.wait(20))
            waits(lambda: condition.wait_for(lambda: False, 20))
        def get():
            try:
                queue.Queue().get(timeout=20)
            except queue.Empty:
                pass
        waits(get)
        print(min(seen) >= 19.9, perf_counter() - real < 60)
        now = datetime.now(timezone.utc)
        print(now.date(), date.today(), time.strftime("%Y-%m-%d"), datetime.utcnow().date())
        print(isinstance(datetime(2026, 1, 1), datetime), isinstance(now, date),
              abs(time.time() - now.timestamp()) < 100, time.localtime().tm_year)
        """
    )
    assert lines == [
        "True True",
        "2026-11-27 2026-11-27 2026-11-27 2026-11-27",
        "True True True 2026",
    ]


def test_libraries_of_the_network_keep_the_machines_time() -> None:
    (line,) = on_clock(
        """
        import types, time
        code = "import time\\ndef look():\\n    a = time.monotonic()\\n    time.sleep(0.2)\\n" \\
               "    return time.monotonic() - a"
        own, network = types.ModuleType("mine"), types.ModuleType("httpx._client")
        for module in (own, network):
            exec(code, module.__dict__)
        def looked(module, pace):
            begun = time.perf_counter()
            seen = module.look()
            # However long the machine took: not more than went by, on the clock of the module.
            return 0.19 <= seen <= pace * (time.perf_counter() - begun) + 0.01
        print(looked(network, 1), looked(own, 100))
        """
    )
    assert line == "True True"


def test_pandas_is_loaded_on_the_clock_of_a_rehearsal() -> None:
    """Compiled modules take the layout of ``datetime`` for their own: the process ended."""
    pytest.importorskip("pandas")
    (line,) = on_clock(
        """
        import pandas
        from datetime import datetime
        frame = pandas.DataFrame({"at": [datetime.now()]})
        print(frame["at"].dtype.kind, frame["at"][0].year, pandas.Timestamp("2026-01-01").year)
        """
    )
    assert line == "M 2026 2026"
