"""A terminal without programs loads nothing of the host; the first one that is added finds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openalgo_desktop.core.strategies.ports import StrategyNotFound
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.begun import begin

LOADED = (
    "import sys, openalgo_desktop.runtime.terminal, openalgo_desktop.runtime.hands.door;"
    "print([name for name in sys.modules if 'automation.host' in name])"
)


def test_nothing_of_the_host_is_loaded_with_the_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_the_host_comes_with_the_first_program_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENALGO_VAULT", "file")
    data = tmp_path / "data"
    begin(data)
    script = tmp_path / "idle.py"
    script.write_text("pass\n")

    def terminal() -> Terminal:
        options = TerminalOptions(data_dir=data, overrides={"api.enabled": False}, sim_frozen=True)
        return Terminal(options)

    first = terminal()
    await first.start()
    assert first.programs._host is None
    await first.host.add(script)
    assert first.risk_rules.programs is first.host.quotas
    await first.stop()
    second = terminal()
    await second.start()
    assert second.programs._host is not None
    assert [view.hosted.name for view in second.programs.all()] == ["idle"]
    with pytest.raises(StrategyNotFound):
        second.programs.get("other")
    await second.host.remove("idle", "me")
    await second.stop()
    third = terminal()
    await third.start()
    assert third.programs._host is None  # nothing is left of it
    await third.stop()
