"""Recorded transcripts of the reference against the headless program.

``GOLDEN=<dir>`` replays another directory in the same format (with its own
``fixture_symbols.json``, if it has one). Differences kept on purpose are in ``golden_rules``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.golden_case import FIXTURE, FOLDER, Case, fixture_rows, read_rows, transcripts
from tests.api.golden_replay import Replay
from tests.api.golden_times import RECORDED_AT
from tests.e2e.driver import NO_LIMITS, Program


def _cases(name: str) -> list[Case]:
    return [row for row in read_rows(FOLDER / f"{name}.json") if isinstance(row, Case)]


def options(folder: Path, *options: str, **kwargs: Any) -> Program:
    return Program(
        folder,
        *("--sim-universe", str(FIXTURE), "--sim-frozen", "--sim-control"),
        *("--clock", RECORDED_AT.isoformat()),
        *options,
        **kwargs,
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with options(tmp_path_factory.mktemp("golden") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def prices() -> dict[str, float]:
    return {f"{row['exchange']}:{row['symbol']}": row["ltp"] for row in fixture_rows()}


def _report(replay: Replay) -> None:
    replay.close()
    assert replay.compared > 0, "nothing was compared"
    assert not replay.problems, f"{len(replay.problems)} differences:\n" + "\n".join(
        replay.problems
    )


@pytest.mark.parametrize("name", transcripts("rest"))
def test_golden(name: str, program: Program, prices: dict[str, float], tmp_path: Path) -> None:
    cases = _cases(name)
    limits = [case for case in cases if case.status == 429]
    if limits:
        with options(tmp_path / "data", settings=()) as limited:
            replay = Replay(limited, prices)
            for case in limits:
                replay.run_limit(case)
            _report(replay)
    if len(limits) == len(cases):
        return
    if any(case.live for case in cases):
        # The live account cannot be emptied, so it must be new.
        with options(tmp_path / "live") as fresh:
            replay = Replay(fresh, prices)
            replay.run(FOLDER / f"{name}.json")
            _report(replay)
        return
    with contextlib.ExitStack() as stack:
        others: dict[tuple[str, ...], Program] = {}

        def start(settings: tuple[str, ...]) -> Program:
            if settings not in others:
                folder = tmp_path / f"other{len(others)}"
                made = options(folder, settings=(*NO_LIMITS, *settings))
                others[settings] = stack.enter_context(made)
            return others[settings]

        replay = Replay(program, prices, start)
        replay.run(FOLDER / f"{name}.json")
        _report(replay)


@pytest.mark.parametrize("name", transcripts("stream"))
async def test_golden_stream(name: str, program: Program, prices: dict[str, float]) -> None:
    rows = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    replay = Replay(program, prices)
    await asyncio.to_thread(replay.reset)

    def orders(row: dict[str, Any]) -> bool:
        return any(f.get("recv", {}).get("type") == "order_update" for f in row["frames"])

    await asyncio.gather(*(replay.talk(row) for row in rows if not orders(row)))
    for row in filter(orders, rows):
        await replay.talk(row)
    _report(replay)
