"""An X display of our own, the window on it, and a hand: real mouse and real keys (xdotool)."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.e2e.driver import Program
from tests.waiting import wait_for

#: How far the pointer goes in one step of a drag, pixels.
STRIDE = 12
#: Displays of tests; a server knows no number from 59536 on (as TCP ports they would be too high).
FIRST_DISPLAY, DISPLAYS = 1_000, 50_000
#: What has not moved for so long has come to rest, seconds.
REST = 0.15
#: What a busy machine may take, seconds; what comes at once is not waited for.
PATIENCE = 60.0
#: A market that ticks and stands still, at each start at the same prices: an order a rupee away
#: from the price is not filled on a busy machine before it is moved, and whether a chart shows a
#: line that is a per cent away does not depend on the time of the day.
MARKET = ("--sim-frozen", "--clock", "2026-11-24T10:00:00+05:30")


@contextlib.contextmanager
def x_display(size: str = "1920x1080") -> Iterator[str]:
    """A display; its name. Its number is that of this process: of two servers that look for a free
    one at the same time both may take the same, and windows and hands come to the wrong one. It
    does not begin anew when its last client leaves, which would throw out the next one.
    """
    read, write = os.pipe()
    number = FIRST_DISPLAY + os.getpid() % DISPLAYS
    server = subprocess.Popen(
        [
            *("Xvfb", f":{number}", "-displayfd", str(write), "-screen", "0", f"{size}x24"),
            *("-nolisten", "tcp", "-noreset"),
        ],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        ready, _, _ = select.select([read], [], [], PATIENCE)
        assert ready, "Xvfb did not start"
        yield f":{os.read(read, 20).decode().strip()}"
    finally:
        os.close(read)
        server.terminate()
        server.wait(PATIENCE)


class Hand:
    """Keys and mouse of a user."""

    def __init__(self, display: str) -> None:
        self._env = os.environ | {"DISPLAY": display}

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout


def middle(rect: list[int]) -> tuple[int, int]:
    """Of x, y, width and height."""
    return rect[0] + rect[2] // 2, rect[1] + rect[3] // 2


class Window:
    """The program's window as a user has it: looks are free, ``clicks``, ``drags`` and ``keys``
    are counted."""

    def __init__(self, program: Program, place: Path, display: str) -> None:
        self.program = program
        self.hand = Hand(display)
        self.clicks = self.drags = self.keys = 0
        port = int(wait_for(lambda: place.exists() and place.read_text(), "the window's server"))
        self._line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).makefile("rwb")

    # -- looking ------------------------------------------------------------------------------
    def ask(self, expression: str) -> Any:
        """The value of an expression in the window's process (:mod:`.window_host`)."""
        self._line.write(expression.encode() + b"\n")
        self._line.flush()
        value = json.loads(self._line.readline())
        assert not (isinstance(value, dict) and "error" in value), (expression, value)
        return value

    def find(self, expression: str, what: str = "", rest: float = REST) -> list[int]:
        """Where something is, waited for until it has not moved for ``rest`` seconds."""
        last: list[Any] = [None]

        def still() -> Any:
            now = self.ask(expression)
            same, last[0] = now == last[0], now
            self.hand("sleep", str(rest))
            return now if now and same else None

        found: list[int] = wait_for(still, what or expression, PATIENCE)
        return found

    def wait(self, expression: str, what: str = "", timeout: float = PATIENCE) -> Any:
        """Until an expression is true."""
        return wait_for(lambda: self.ask(expression), what or expression, timeout)

    # -- doing --------------------------------------------------------------------------------
    def _to(self, expression: str) -> tuple[int, int]:
        """Bring the pointer to the middle of something, after it while it moves: nobody presses
        before the pointer is on it, and a window that the display does not show yet would get
        nothing. Where the pointer is then."""
        at = (0, 0)

        def there() -> bool:
            nonlocal at
            at = middle(self.find(expression))
            self.hand("mousemove", str(at[0]), str(at[1]))
            self.wait(f"pointed{at}", f"the pointer at {at}")
            return bool(self.ask(f"within({expression}, {at})"))

        wait_for(there, f"the pointer on {expression}")
        return at

    def hover(self, expression: str) -> None:
        """Point at it."""
        self._to(expression)

    def click(self, expression: str, button: int = 1) -> None:
        """Press and release there."""
        self._to(expression)
        self.hand("click", str(button))
        self.clicks += 1

    def drag(self, expression: str, down: int = 0, to: str = "") -> None:
        """Take something with the left button, so many pixels ``down`` or ``to`` something."""
        start = self._to(expression)
        end = middle(self.find(to)) if to else (start[0], start[1] + down)
        self.hand("mousedown", "1")
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1])) // STRIDE + 1
        for step in range(1, steps + 1):
            x = start[0] + (end[0] - start[0]) * step // steps
            y = start[1] + (end[1] - start[1]) * step // steps
            self.hand("mousemove", str(x), str(y), "sleep", "0.02")
        self.hand("mouseup", "1")
        self.drags += 1

    def switch(self, number: int) -> None:
        """A workspace by its key; what the one before shows would do for most questions."""
        name = self.ask(f"workspaces().names()[{number - 1}]")
        self.click("rect('statusbar')")  # keys come here: without a window manager to nobody
        self.key(f"ctrl+{number}")
        self.wait(f"workspaces().current == {name!r}", name)

    def key(self, *names: str) -> None:
        """Press keys one after another."""
        self.hand("key", "--delay", "30", *names)
        self.keys += len(names)

    def type(self, text: str) -> None:
        """Type a text."""
        self.hand("type", "--delay", "20", text)

    def count(self) -> dict[str, int]:
        """What was done since the last count."""
        done = {"clicks": self.clicks, "drags": self.drags, "keys": self.keys}
        self.clicks = self.drags = self.keys = 0
        return {name: number for name, number in done.items() if number}


@contextlib.contextmanager
def real_window(
    folder: Path, display: str, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[Window]:
    """The program on a display, ended in order."""
    place = folder / "window.port"
    place.unlink(missing_ok=True)
    env = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", **(env or {})}
    host = ("tests.e2e.window_host", str(place))
    with Program(folder / "data", *options, env=env, command="gui", module=host) as program:
        window = Window(program, place, display)
        window.wait("rect('main-window') is not None", "the window")
        try:
            yield window
        except BaseException as error:
            with contextlib.suppress(Exception):  # what has ended says nothing
                error.add_note(f"the window: {window.ask('state()')}")
            raise
