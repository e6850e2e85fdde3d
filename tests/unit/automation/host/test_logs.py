"""Reading the logs of runs: last lines, search, following, retention. No processes."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from openalgo_desktop.automation.host.keeper import files
from openalgo_desktop.automation.host.keeper.output import LogFile, Output, segment
from openalgo_desktop.automation.host.logs import RunLogs
from openalgo_desktop.automation.host.places import Places
from openalgo_desktop.automation.host.ports import LogEntry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import ConfigError
from tests.waiting import until

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=IST)
DAY = 86_400.0
ENDED = {"code": 0, "signal": "", "why": "exited", "reason": "", "last_lines": [], "at": 1.0}


class Shelf:
    """Runs of one strategy, written as a keeper writes them."""

    def __init__(self, root: Path) -> None:
        self.clock = ManualClock(NOW)
        self.places = Places(root)
        self.logs = RunLogs(self.places, lambda text: text.replace("hush", "***"), self.clock)

    def run(self, run_id: str, days_ago: float = 0.0) -> Output:
        folder = self.places.run("s", run_id)
        folder.mkdir(parents=True)
        started = NOW.timestamp() - days_ago * DAY
        files.write(str(folder), files.SPEC, {"started": started})
        return Output(LogFile(str(folder)), 10**9, str, 0.0)

    def end(self, run_id: str) -> None:
        files.write(str(self.places.run("s", run_id)), files.ENDED, ENDED)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_the_last_lines_of_several_segments(shelf: Shelf):
    log = shelf.run("r1")
    folder = shelf.places.run("s", "r1")
    log.take("O", b"a\nb\nhush hush\n", 1.0)
    log.finish(2.0)
    later = Output(LogFile(str(folder)), 10**9, str, 0.0)  # appends to the first
    later.take("E", b"c\n", 1.0)
    os.rename(folder / segment(1), folder / segment(7))
    later.finish(2.0)
    found = await shelf.logs.last("s", "r1", 3)
    assert [(one.stream, one.text) for one in found] == [
        ("out", "b"),
        ("out", "*** ***"),
        ("err", "c"),
    ]
    assert abs(found[0].at - time.time()) < 3600, "IST is read as IST"


async def test_search_finds_in_any_case_newest_run_first_and_no_secrets(shelf: Shelf):
    shelf.run("old", 2).take("O", b"Order REJECTED\nfine\n", 1.0)
    shelf.run("new", 1).take("E", b"rejected again\nhush\n", 1.0)
    found = await shelf.logs.search("s", "rejected")
    assert [(run, entry.text) for run, entry in found] == [
        ("new", "rejected again"),
        ("old", "Order REJECTED"),
    ]
    assert [run for run, _ in await shelf.logs.search("s", "rejected", run_id="old")] == ["old"]
    assert len(await shelf.logs.search("s", "rejected", limit=1)) == 1
    assert await shelf.logs.search("s", "hush") == []


async def test_following_starts_with_the_last_lines_and_ends_with_the_run(shelf: Shelf):
    log = shelf.run("r1")
    log.take("O", b"1\n2\n3\n", 1.0)
    heard: list[LogEntry] = []

    async def hear() -> None:
        async for entries in shelf.logs.follow("s", "r1", last=2):
            heard.extend(entries)

    task = asyncio.create_task(hear())
    await until(lambda: len(heard) == 2, "the last lines")
    log.take("O", b"4\nhal", 2.0)
    await until(lambda: len(heard) == 3, "a new line")
    os.write(  # rotated meanwhile
        os.open(
            shelf.places.run("s", "r1") / segment(2), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600
        ),
        b"2026-12-01 10:00:00.000 O after the rotation\n",
    )
    await until(lambda: len(heard) == 4, "a line of the next segment")
    shelf.end("r1")
    await asyncio.wait_for(task, 30)
    assert [one.text for one in heard] == ["2", "3", "4", "after the rotation"]


async def test_retention_by_age_and_size_keeps_the_newest_and_what_runs(shelf: Shelf):
    for number, days in enumerate((40, 20, 10, 5, 1)):
        run_id = f"r{number}"
        shelf.run(run_id, days).take("O", b"x" * 499 + b"\n" + b"y" * 499 * 600 + b"\n", 1.0)
        if run_id != "r1":
            shelf.end(run_id)
    assert await shelf.logs.prune(days=30, megabytes=100) == 1
    assert [run.run_id for run in await shelf.logs.runs("s")] == ["r4", "r3", "r2", "r1"]
    assert await shelf.logs.prune(days=30, megabytes=0) == 2
    assert [run.run_id for run in await shelf.logs.runs("s")] == ["r4", "r1"], "one still runs"
    shelf.clock.advance(100 * DAY)
    shelf.end("r1")
    assert await shelf.logs.prune(days=30, megabytes=100) == 1
    assert [run.run_id for run in await shelf.logs.runs("s")] == ["r4"]
    for number in range(5, 9):
        shelf.run(f"r{number}", -1.0 * number)
        shelf.end(f"r{number}")
    shelf.end("r4")
    assert await shelf.logs.prune(days=300, megabytes=100, most=3) == 2
    assert [run.run_id for run in await shelf.logs.runs("s")] == ["r8", "r7", "r6"]


async def test_a_strategy_that_runs_is_not_removed(shelf: Shelf):
    shelf.run("r1")
    home = shelf.places.home("s")
    home.mkdir(parents=True)
    with pytest.raises(ConfigError, match="stop it first"):
        await shelf.logs.remove("s")
    assert home.exists()
    shelf.end("r1")
    await shelf.logs.remove("s")
    assert not home.exists() and await shelf.logs.runs("s") == []


@pytest.mark.parametrize("wrong", ["", "../x", "a/b", ".", "x" * 65, "a b"])
async def test_an_id_that_is_no_name_of_a_folder_is_refused(shelf: Shelf, wrong: str):
    with pytest.raises(ConfigError, match="letters, digits"):
        await shelf.logs.last(wrong, "r1")
    with pytest.raises(ConfigError, match="letters, digits"):
        await shelf.logs.last("s", wrong)
