"""The whole program and a broker's emulator: how it is started, logged in and looked through."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import SystemClock
from tests.e2e.driver import NO_LIMITS, ROOT, START_TIMEOUT, Program, environment
from tests.emulators.base import BrokerEmulator
from tests.emulators.thread import EmulatorThread

E = TypeVar("E", bound=BrokerEmulator)


@contextmanager
def at_ten(make: Callable[[SystemClock], E]) -> Iterator[EmulatorThread[E]]:
    """An emulator that runs from ten in the morning: a session lasts for the test, wherever and
    whenever it runs."""
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    with EmulatorThread(lambda: make(clock)) as running:
        yield running


def options(server: EmulatorThread[Any], broker: str) -> list[str]:
    """Settings that send the program to the emulator, where the broker has such a host."""
    names = Registry(()).get(broker).spec.hosts
    hosts = {n: url for n, url in server.emulator.hosts().items() if n in names}
    return [*NO_LIMITS, *(f"brokers.{broker}.hosts.{name}={url}" for name, url in hosts.items())]


def now(server: EmulatorThread[Any]) -> str:
    """The emulator's clock, for the program."""
    return str(server.emulator.clock.now().isoformat())


def program(server: EmulatorThread[Any], folder: Path, broker: str, *more: str) -> Program:
    """The engine with the broker's account, live."""
    arguments = ("--broker", broker, "--mode", "live", "--clock", now(server), *more)
    return Program(folder, *arguments, settings=options(server, broker))


def log_in(
    server: EmulatorThread[Any],
    folder: Path,
    broker: str,
    given: Mapping[str, str] | None = None,
    *more: str,
    site: str = "",
    port: str = "0",
    browser: Callable[[str], None] | None = None,
) -> str:
    """``openalgo-desktop login``; what it says. ``given`` answers its questions. The page of the
    broker, whose address begins with ``site``, is opened at the emulator, which sends the browser
    back to the callback; ``browser`` looks at every line instead."""
    folder.mkdir(parents=True, exist_ok=True)
    sets = [part for setting in options(server, broker) for part in ("--set", setting)]
    answers = [] if given is None else ["--stdin"]
    command = [sys.executable, "-m", "openalgo_desktop", "login", broker, *answers, *more]
    command += ["--data-dir", str(folder), "--rest-port", port, "--clock", now(server), *sets]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(dict(given or {})))
    process.stdin.close()
    lines: list[str] = []
    killer = threading.Timer(START_TIMEOUT, process.kill)
    killer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if browser is not None:
                browser(line.strip())
            elif site and line.startswith("Redirect address"):
                server.emulator.redirect = line.split()[-1]
            elif site and line.startswith(site):
                url = line.strip().replace(site, server.emulator.url)
                with urllib.request.urlopen(url, timeout=60) as page:
                    assert page.status == 200
        assert process.wait(60) == 0, "".join(lines)
    finally:
        killer.cancel()
    return "".join(lines)


def assert_hidden(folder: Path, output: str, *secrets: str) -> None:
    """None of them is readable in what the program said, in its logs or in its database."""
    texts = [output.encode(), (folder / "openalgo.db").read_bytes()]
    texts += [file.read_bytes() for file in folder.rglob("*.log")]
    for secret in secrets:
        assert secret and not any(secret.encode() in text for text in texts)
