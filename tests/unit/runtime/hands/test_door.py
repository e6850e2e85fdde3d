"""The table of operations and the door that runs them: arguments, app lock, audit trail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.config.operation import Guard
from openalgo_desktop.config.operations import GROUPS, OPERATIONS, checked, operation
from openalgo_desktop.core.alerts import AlertWhen, AlertWish
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.texttable import table
from openalgo_desktop.runtime.hands.door import HANDLERS, OwnerDoor
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.begun import begin

PASSWORD = "correct horse"


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    monkeypatch.setenv("OPENALGO_VAULT", "file")
    begin(tmp_path)
    overrides = {"api.enabled": False}
    running = Terminal(TerminalOptions(data_dir=tmp_path, overrides=overrides, sim_frozen=True))
    await running.start()
    yield running
    await running.stop()


async def ask(terminal: Terminal, name: str, **body: Any) -> dict[str, Any]:
    group, verb = name.split()
    return await OwnerDoor(terminal).run(group, verb, body)


def test_every_row_has_a_function_and_a_group() -> None:
    assert set(HANDLERS) == {row.name for row in OPERATIONS}
    assert len({row.name for row in OPERATIONS}) == len(OPERATIONS)
    assert {row.group for row in OPERATIONS} == set(GROUPS)


def test_what_changes_something_is_guarded_unless_it_only_reduces() -> None:
    free = {row.name for row in OPERATIONS if row.changes and row.guard is Guard.FREE}
    assert free == {"kill now", "mode sandbox", "strategy stop"}
    assert operation("mode", "live").guard is Guard.PASSWORD  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("approvals approve", {}, "id"),
        ("approvals approve", {"id": "1"}, "id"),
        ("approvals approve", {"id": True}, "id"),
        ("keys create", {"name": "a", "rights": "all"}, "rights"),
        ("keys create", {"name": "a", "colour": "red"}, "colour"),
        ("webhooks create", {"name": "a", "symbol": [1]}, "symbol"),
        ("webhooks create", {"name": "a", "symbol": []}, "symbol"),
        ("accounts use", {"name": "a", "data": "yes"}, "data"),
    ],
)
def test_a_wrong_argument_is_named(name: str, data: dict[str, Any], field: str) -> None:
    row = next(row for row in OPERATIONS if row.name == name)
    with pytest.raises(ConfigError, match=f"^{field}: "):
        checked(row, data)


async def test_a_locked_program_asks_for_its_password(terminal: Terminal) -> None:
    await terminal.lock.set_password(Secret(PASSWORD))
    terminal.lock.lock()
    refused = await ask(terminal, "keys list")
    assert (refused["http_status"], refused["needs"]) == (401, ["password"])
    assert (await ask(terminal, "keys list", password="wrong words"))["http_status"] == 401
    assert (await ask(terminal, "keys list", password=PASSWORD))["status"] == "success"
    assert terminal.lock.locked  # the window stays shut
    for free in ("kill now", "kill status", "mode get", "engine status", "settings list"):
        assert (await ask(terminal, free))["status"] == "success", free


@pytest.mark.parametrize(
    "symbols",
    [
        ["NSE:SBIN:１"],
        ["NSE:SBIN:1_0"],
        ["NSE:SBIN:+5"],
        ["NSE:SBIN:1e3"],
        ["NSE:SBIN:0"],
        ["NSE:SBIN:" + "9" * 30],
        ["NOPE:SBIN:1"],
        ["NSE:SBIN:1", "BSE:SBIN:2"],
    ],
)
async def test_symbols_of_a_webhook_that_mean_nothing(
    terminal: Terminal, symbols: list[str]
) -> None:
    answer = await ask(terminal, "webhooks create", args={"name": "w", "symbol": symbols})
    assert answer["status"] == "error"
    assert answer["message"].startswith(("symbol: ", "quantity: ")), answer


async def test_live_mode_asks_each_time(terminal: Terminal) -> None:
    await terminal.lock.set_password(Secret(PASSWORD))
    assert not terminal.lock.locked
    assert (await ask(terminal, "mode live"))["needs"] == ["password"]
    assert terminal.desk.mode is Mode.SANDBOX
    assert (await ask(terminal, "mode live", password=PASSWORD))["status"] == "success"
    assert terminal.desk.mode is Mode.LIVE
    assert (await ask(terminal, "mode sandbox"))["status"] == "success"


async def test_the_audit_trail_names_the_command_line(terminal: Terminal) -> None:
    key = "trading.duplicate_guard_ms"
    made = await ask(terminal, "webhooks create", args={"name": "w", "symbol": ["NSE:SBIN:1"]})
    secret = made["rows"][0]["address"].rpartition("/")[2]
    await ask(terminal, "settings set", args={"key": key, "value": "901"})
    await ask(terminal, "keys create", args={"name": "k"})
    await ask(terminal, "keys revoke", args={"key": "k"})
    await ask(terminal, "webhooks disable", args={"name": secret})
    await ask(terminal, "approvals reject", args={"id": 404})
    terminal.settings.set(key, 902)
    await terminal.state.put("test", "behind", 1)  # the trail is written in the same queue
    start = terminal.clock.now() - timedelta(hours=1)
    entries = await terminal.audit.search("", start=start, limit=100)
    told = [(row.who, row.what, row.subject, row.answer) for row in reversed(entries)]
    assert ("cli", "setting", key, "") in told
    assert ("cli", "command", "settings set", "ok") in told
    assert ("cli", "key created", "k", "") in told
    assert ("cli", "key revoked", "k", "") in told
    assert ("cli", "setting", "webhook.w", "") in told
    assert any(row[:3] == ("cli", "command", "approvals reject") for row in told)
    assert told[-1][:3] == ("window", "setting", key)
    assert secret not in str(entries)


async def test_unset_goes_back_to_the_default_for_good(terminal: Terminal) -> None:
    key = "trading.duplicate_guard_ms"
    default = terminal.settings[key]
    await ask(terminal, "settings set", args={"key": key, "value": str(default + 1)})
    assert (await terminal.state.all("settings"))[key] == default + 1
    await ask(terminal, "settings unset", args={"key": key})
    assert terminal.settings[key] == default
    assert terminal.settings.origin(key) == "default"
    assert key not in await terminal.state.all("settings")


async def test_a_setting_that_waits_for_the_next_start_says_so(terminal: Terminal) -> None:
    key = "api.rest_port"

    async def origin() -> str:
        (row,) = (await ask(terminal, "settings list", args={"pattern": key}))["rows"]
        return str(row["from"])

    assert await origin() == "default"
    await ask(terminal, "settings set", args={"key": key, "value": "5055"})
    assert await origin() == "stored, from the next start on"
    await ask(terminal, "settings set", args={"key": key, "value": "5000"})
    assert await origin() == "stored"
    await ask(terminal, "settings set", args={"key": key, "value": "5055"})
    await ask(terminal, "settings unset", args={"key": key})
    assert await origin() == "default"
    await ask(terminal, "settings set", args={"key": "risk.max_lots", "value": "5"})
    (row,) = (await ask(terminal, "settings list", args={"pattern": "risk.max_lots"}))["rows"]
    assert row["from"] == "stored"  # counts at once


async def test_offline_only_what_needs_no_engine(terminal: Terminal) -> None:
    door = OwnerDoor(terminal, offline=True)
    refused = await door.run("kill", "now", {})
    assert "needs the running program" in refused["message"]
    assert (await door.run("settings", "get", {"args": {"key": "api.host"}}))["text"] == "127.0.0.1"
    near = await door.run("kill", "stauts", {})
    assert "Did you mean kill status" in near["message"]


def test_a_table_obeys_nothing_that_a_text_says() -> None:
    lines = table([{"a": "x\x1b[31m\n", "b": 1}, {"a": "y", "b": 2}])
    assert [line.split() for line in lines] == [["a", "b"], ["x", "[31m", "1"], ["y", "2"]]
    assert not any("\x1b" in line or "\n" in line for line in lines)


async def test_alerts_are_listed_paused_and_deleted_without_a_window(terminal: Terminal) -> None:
    assert (await ask(terminal, "alerts list"))["text"] == "There is no alert."
    wish = AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(90_000), note="far")
    made = await terminal.alerts.add(wish)
    (row,) = (await ask(terminal, "alerts list"))["rows"]
    assert row["condition"] == "LTP at or above 90000" and row["state"] == "active"
    args = {"args": {"id": made.alert_id}}
    assert "is paused" in (await ask(terminal, "alerts pause", **args))["text"]
    assert "is watched" in (await ask(terminal, "alerts resume", **args))["text"]
    assert "is deleted" in (await ask(terminal, "alerts delete", **args))["text"]
    assert (await ask(terminal, "alerts delete", **args))["http_status"] == 404
    assert (await ask(terminal, "alerts log"))["rows"] == []
