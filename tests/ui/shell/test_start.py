"""Starting: what is wrong is said with its fix, and the way out works."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.ui.engine.loop import PumpEventLoop
from openalgo_desktop.ui.shell import main
from openalgo_desktop.ui.shell.start_problem import StartProblemDialog, ways_out
from tests.ui.driving import click, until


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def options(folder: Path, port: int) -> TerminalOptions:
    return TerminalOptions(data_dir=folder, overrides={"api.rest_port": port, "api.ws_port": 0})


def test_a_busy_port_is_explained_and_can_be_left(
    qtbot: QtBot, tmp_path: Path, busy_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = main.make_application()
    loop = PumpEventLoop(app)
    asyncio.set_event_loop(loop)
    monkeypatch.setattr(main, "BLIND", ())

    async def scenario() -> None:
        starting = asyncio.create_task(main._started(app, options(tmp_path, busy_port)))

        def dialogs() -> list[StartProblemDialog]:
            # Those of earlier tests may not be deleted yet: they are hidden.
            found = [w for w in app.topLevelWidgets() if isinstance(w, StartProblemDialog)]
            return [w for w in found if w.isVisible()]

        await until(dialogs, "the explanation")
        dialog = dialogs()[0]
        texts = " ".join(child.text() for child in dialog.findChildren(type(dialog.ways[0])))
        assert "free ports" in texts
        click(dialog.ways[0])
        session = await starting
        try:
            rest = session.bridge.api.state()[0]
            assert rest and not rest.endswith(f":{busy_port}")
        finally:
            await session.stop()

    loop.run_until_complete(asyncio.wait_for(scenario(), 60))
    loop.close()
    asyncio.set_event_loop(None)


def test_nobody_there_to_ask_means_an_error_that_names_the_setting(
    qtbot: QtBot, tmp_path: Path, busy_port: int
) -> None:
    app = main.make_application()
    loop = PumpEventLoop(app)
    asyncio.set_event_loop(loop)
    with pytest.raises(ConfigError, match=r"api\.rest_port"):
        loop.run_until_complete(main._started(app, options(tmp_path, busy_port)))
    loop.close()
    asyncio.set_event_loop(None)


def test_a_second_start_on_the_same_folder_has_no_way_but_out(tmp_path: Path) -> None:
    assert ways_out(AppError("The data folder is in use by another instance.")) == ()
    assert len(ways_out(ConfigError("Port 5000 is in use; see api.rest_port."))) == 2
    assert replace(options(tmp_path, 1), data_dir=None).data_dir is None
