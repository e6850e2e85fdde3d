"""Start and stop of the windowed program."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from openalgo_desktop import __version__
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.runtime.early import early_setting
from openalgo_desktop.runtime.logs import catch_crashes, stop_signals
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.loop import PumpEventLoop
from openalgo_desktop.ui.kit import fonts, theme
from openalgo_desktop.ui.kit.dressing import dress
from openalgo_desktop.ui.kit.held_keys import watch_held_keys
from openalgo_desktop.ui.shell.first_run import is_due
from openalgo_desktop.ui.shell.main_window import MainWindow
from openalgo_desktop.ui.shell.side_window import TITLE
from openalgo_desktop.ui.shell.start_problem import ask_way_out

log = logging.getLogger(__name__)

OnReady = Callable[[Terminal], Awaitable[None]]

#: Platforms of Qt on which nobody sees a dialog.
BLIND = ("offscreen", "minimal")
#: A shutdown that takes longer than this ends the process the hard way, seconds.
SHUTDOWN_LIMIT = 20.0
#: How Qt is told a scale, and what is no change, per cent.
SCALE, WHOLE = "QT_SCALE_FACTOR", 100


def scale_for(options: TerminalOptions) -> None:
    """Tell Qt the scale of the settings; it is read when the application is made. A scale that is
    forced from outside stays."""
    percent = int(early_setting(options, "ui.scale"))
    if percent != WHOLE and SCALE not in os.environ:
        os.environ[SCALE] = f"{percent / WHOLE:g}"


def make_application() -> QApplication:
    """The one QApplication, with our fonts; leaving is ours (not the last window's)."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("openalgo-desktop")
    app.setApplicationDisplayName(TITLE)
    app.setApplicationVersion(__version__)
    QGuiApplication.setDesktopFileName("openalgo-desktop")
    app.setQuitOnLastWindowClosed(False)
    fonts.install(app)
    watch_held_keys(app)
    return app


class Session:
    """A started terminal with its window; used by the program, the screenshots and the tests."""

    def __init__(self, app: QApplication, options: TerminalOptions) -> None:
        self.app = app
        self.terminal = Terminal(options)
        self.closing = asyncio.Event()
        self.bridge: Bridge
        self.window: MainWindow

    async def start(self) -> None:
        """Start the engine, build and show the window, bring its layout back."""
        await self.terminal.start()
        try:
            dress(self.app, self.terminal.settings.__getitem__)
            self.bridge = Bridge(self.terminal)
            self.window = MainWindow(self.bridge, self.closing.set)
            self.window.show()
            await self.window.restore()
            await self.bridge.paper.begin()
            self.bridge.start()
            self.window.lock_screen.start()
            if QGuiApplication.platformName() not in BLIND:
                self.window.start_tray()
                self.window.commands.offer_crash_report()
                if await is_due(self.bridge):
                    self.window.first_run()
        except BaseException:
            await self.terminal.stop()
            raise

    async def stop(self) -> None:
        """Save the layout, stop the window's work, then the engine."""
        try:
            await self.window.save()
        except Exception:
            log.exception("the layout could not be saved")
        self.window.workspaces.close()
        self.window.status_bar.stop()
        await self.bridge.close()
        self.window.hide()
        await self.terminal.stop()
        self.window.deleteLater()
        # Qt holds the callables of its signals where Python's collector does not see them: window,
        # bridge and engine would stay for as long as the process.
        self.bridge.deleteLater()


async def _started(app: QApplication, options: TerminalOptions) -> Session:
    """A started session. Somebody who sees the screen is asked what to do about a problem; else
    it is raised."""
    while True:
        session = Session(app, options)
        catch_crashes(session.terminal.data_dir.logs)
        try:
            await session.start()
            return session
        except AppError as error:
            if QGuiApplication.platformName() in BLIND:
                raise
            log.error("start: %s", error.message)
            theme.apply(app, theme.DEFAULT)
            settings = await ask_way_out(error)
            if settings is None:
                raise
            options = replace(options, overrides={**options.overrides, **settings})


async def _run(app: QApplication, options: TerminalOptions, on_ready: OnReady | None) -> int:
    session = await _started(app, options)
    for number in stop_signals():
        signal.signal(number, lambda *_: session.closing.set())
    # Python sees signals only when it runs: a slow heartbeat gives it the chance while idle.
    heartbeat = QTimer()
    heartbeat.start(200)
    heartbeat.timeout.connect(lambda: None)
    try:
        if on_ready is not None:
            await on_ready(session.terminal)
        await session.closing.wait()
    finally:
        heartbeat.stop()
        watchdog = threading.Timer(SHUTDOWN_LIMIT, os._exit, (3,))
        watchdog.daemon = True
        watchdog.start()
        await session.stop()
        watchdog.cancel()
    return 0


def run_gui(options: TerminalOptions, on_ready: OnReady | None = None) -> int:
    """Run the windowed program; returns the exit code. ``on_ready`` is awaited once everything
    answers. Raises :class:`AppError` when it cannot start (data folder in use, port taken)."""
    scale_for(options)
    app = make_application()
    loop = PumpEventLoop(app)
    asyncio.set_event_loop(loop)
    try:
        return int(loop.run_until_complete(_run(app, options, on_ready)))
    finally:
        loop.close()
