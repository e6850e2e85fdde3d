"""What the window stored may be damaged, or of another version: no dock fails over it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced

#: What may stand in the place of any value.
WRONG: tuple[Any, ...] = (
    None, True, -1, 10**30, 1e308, "", "x" * 3000, "<b>x</b>", [], {}, [[]], [None, 1, "a"],
    [["NSE"]], [["NSE", "SBIN", 3, {}]], [{"a": 1}], {"a": {"b": [1]}}, {"1": None}, {"": [1]},
)  # fmt: skip


def damaged(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The state with each of its values replaced, those of a level below too."""
    found = [{}, {"nobody": 1}]
    for key, value in state.items():
        found += [state | {key: wrong} for wrong in WRONG]
        if isinstance(value, dict):
            found += [state | {key: inner} for inner in damaged(value)]
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            found += [state | {key: [inner]} for inner in damaged(value[0])]
    return found


@pytest.mark.docks()
def test_every_dock_takes_a_damaged_state(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        problems = []
        for kind in kinds():
            dock = session.window.docking.open(kind)
            state = dock.save_state()
            for wrong in damaged(state):
                try:
                    dock.restore_state(wrong)
                    dock.save_state()
                except Exception as error:
                    what = {k: v for k, v in wrong.items() if state.get(k) != v}
                    problems.append(f"{kind}: {what!r:.150}: {error!r:.150}")
            dock.restore_state(state)
        assert not problems, "\n".join(problems)

    drive(scenario)


@pytest.mark.docks("chart")
def test_an_imported_workspace_finds_a_name(drive: Drive, tmp_path: Path) -> None:
    """Also one of the longest name, and one whose name is no name."""

    async def scenario(session: Session) -> None:
        workspaces = session.window.workspaces
        file = tmp_path / "one.json"
        workspaces.save_as("n" * 40)
        workspaces.export_to(file)
        assert workspaces.import_from(file) == "n" * 38 + " 2"
        assert workspaces.import_from(file) == "n" * 38 + " 3"
        record = json.loads(file.read_text())["record"]
        for name, known in (("a\n  b" + "x" * 99, "a b" + "x" * 37), ("  ", "Imported")):
            file.write_text(json.dumps({"workspace": name, "record": record}))
            assert workspaces.import_from(file) == known
        file.write_text("[" * 100_000)
        with pytest.raises(ConfigError):
            workspaces.import_from(file)

    drive(scenario)


@pytest.mark.docks("chart", "depth")
def test_a_damaged_workspace_costs_its_layout_only(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        workspaces, docking = session.window.workspaces, session.window.docking
        file = tmp_path / "one.json"
        workspaces.export_to(file)
        good = json.loads(file.read_text())["record"]
        size, (rows, *_) = next(iter(good["layouts"].items()))[0], good["layouts"].values()

        def row(**more: Any) -> dict[str, Any]:
            return good | {"layouts": {size: [rows[0] | more]}}

        records = [
            good | {"layouts": {size: 3}}, good | {"layouts": {size: [3]}}, good | {"docks": [1]},
            good | {"links": {"1": [1, 2, 3], "\u00b2": ["NSE", "SBIN"], "x": None}},
            row(geometry=[1e400, 0, 0, 0]), row(geometry=[10**30] * 4), row(docks=[None, 1, "x"]),
            row(sizes={name: ["a", None] for name in rows[0]["docks"]}),
            row(sizes={name: [10**30, 1.5] for name in rows[0]["docks"]}), row(state="!"),
            row(docks=["", "\n", "chart-" + "9" * 5000, "chart-\u0662", *rows[0]["docks"]]),
        ]  # fmt: skip
        for number, record in enumerate(records):
            file.write_text(json.dumps({"workspace": f"W{number}", "record": record}))
            workspaces.import_from(file)
            assert docking.docks, number
            await workspaces.save()
        crowd = [f"chart-{number}" for number in range(2, 5000)]
        for wrong in (
            {}, {"layouts": []}, [], None, good | {"version": 99},
            {"layouts": {size: [{"docks": crowd}]}}, {"layouts": {size: [{}] * 500}},
        ):  # fmt: skip
            file.write_text(json.dumps({"workspace": "none", "record": wrong}))
            with pytest.raises(ConfigError):
                workspaces.import_from(file)

    drive(scenario)
