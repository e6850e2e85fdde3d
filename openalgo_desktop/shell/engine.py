"""``gui``, ``headless`` and ``screenshot``: the runs that have a Terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.garbage import short_passes
from openalgo_desktop.runtime.logs import catch_crashes, stop_signals
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.shell.entrance import importing
from openalgo_desktop.shell.options import run_async, terminal_options
from openalgo_desktop.storage.datadir import write_private

#: Awaited once everything answers.
OnReady = Callable[[Terminal], Awaitable[None]]


def run(args: argparse.Namespace) -> int:
    """Show the window, run without one, or take pictures; returns at the end of the run."""
    if args.command == "screenshot":
        with importing():
            from openalgo_desktop.ui.shell.screenshot import Shoot, run_screenshots

        shoot = Shoot.parse(args.out, args.only, args.themes, args.sizes)
        return run_screenshots(shoot, terminal_options(args))
    with short_passes(), ready_file(args.ready_file) as on_ready:
        if args.command == "headless":
            return run_async(_headless(args, on_ready))
        with importing():
            from openalgo_desktop.ui.shell.main import run_gui

        return run_gui(terminal_options(args), on_ready)


async def write_ready_file(path: Path, terminal: Terminal) -> None:
    """The ready file of the headless contract; appears at once and whole, mode 0600."""
    if terminal.api is None:
        raise ConfigError("--ready-file needs the local API: set api.enabled to true.")
    key = await terminal.keys.default()
    content = json.dumps(
        {
            "pid": os.getpid(),
            "rest_url": terminal.api.rest_url,
            "ws_url": terminal.api.ws_url,
            "api_key": key.reveal() if key else "",
            "broker": terminal.account.status.broker,
            "mode": terminal.desk.mode.value,
        }
    )

    try:
        await asyncio.to_thread(write_private, path, content)
    except OSError as error:
        raise ConfigError(f"--ready-file: {path} cannot be written: {error.strerror}.") from None


@contextlib.contextmanager
def ready_file(path: Path | None) -> Iterator[OnReady | None]:
    """What to await when everything answers, so that ``path`` tells it; gone again at the end."""
    if path is None:
        yield None
        return
    try:
        yield lambda terminal: write_ready_file(path, terminal)
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


async def _headless(args: argparse.Namespace, on_ready: OnReady | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows has no loop signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    options = terminal_options(args)
    for text in options.notes:
        print(text, file=sys.stderr)
    terminal = Terminal(options)
    catch_crashes(terminal.data_dir.logs)
    await terminal.start()
    try:
        if on_ready is not None:
            await on_ready(terminal)
        if terminal.api is not None:
            print(terminal.api.listening, flush=True)
            if warning := terminal.api.exposure:
                print(f"WARNING: {warning}", flush=True)
        await stop.wait()
    finally:
        await terminal.stop()
    return 0
