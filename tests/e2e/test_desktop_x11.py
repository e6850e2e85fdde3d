"""A real tray and real notifications: told only while another window has the focus; the tray's menu
mutes and opens the review."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, Properties, new_method_call
from jeepney.io.blocking import open_dbus_connection

from tests.e2e.screen import Window, real_window, x_display
from tests.e2e.test_ten_jobs import place
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon"),
]


class Desk:
    """The services of the desktop, and what they were told."""

    def __init__(self, address: str, told: Path) -> None:
        self.address, self._told = address, told

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._told.read_text().splitlines()]

    def bodies(self) -> list[str]:
        return [row["body"] for row in self.told() if "body" in row]

    def menu(self) -> tuple[DBusAddress, dict[str, int]]:
        """The tray's menu: where it is, and its entries."""
        name = next(row["item"] for row in self.told() if "item" in row)
        where = DBusAddress("/MenuBar", name, "com.canonical.dbusmenu")
        with open_dbus_connection(self.address) as bus:
            ask = new_method_call(where, "GetLayout", "iias", (0, -1, []))
            rows = [row[1] for row in bus.send_and_get_reply(ask).body[1][2]]
            return where, {row[1]["label"][1].replace("_", ""): row[0] for row in rows}

    def choose(self, text: str) -> None:
        """A click on an entry."""
        where, entries = self.menu()
        with open_dbus_connection(self.address) as bus:
            click = (entries[text], "clicked", ("s", ""), 0)
            bus.send_and_get_reply(new_method_call(where, "Event", "isvu", click))

    def tooltip(self) -> str:
        """What the icon says."""
        name = next(row["item"] for row in self.told() if "item" in row)
        item = DBusAddress("/StatusNotifierItem", name, "org.kde.StatusNotifierItem")
        with open_dbus_connection(self.address) as bus:
            found = bus.send_and_get_reply(Properties(item).get("ToolTip")).body[0][1]
        return " ".join(found[2:])


@contextlib.contextmanager
def desk(folder: Path) -> Iterator[Desk]:
    """A session bus with the services on it."""
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert bus.stdout is not None
        address, told = bus.stdout.readline().strip(), folder / "told"
        env = os.environ | {"DBUS_SESSION_BUS_ADDRESS": address}
        words = [sys.executable, "-m", "tests.e2e.desk_services", str(told)]
        services = subprocess.Popen(words, env=env)
        try:
            wait_for(told.exists, "the services")
            yield Desk(address, told)
        finally:
            services.terminate()
            services.wait(60)
    finally:
        bus.terminate()
        bus.wait(60)


def focus(window: Window, name: str) -> None:
    """Give the program the focus, or take it away."""
    wid = window.ask("int(dock('chart').window().winId())")
    words = ("windowfocus", str(wid)) if name == "here" else ("windowfocus", "--sync", "1")
    window.hand(*words)


def test_the_desktop_is_told_while_nobody_looks(tmp_path: Path) -> None:
    with (
        desk(tmp_path) as desktop,
        x_display() as display,
        real_window(tmp_path, display, env={"DBUS_SESSION_BUS_ADDRESS": desktop.address}) as window,
    ):
        wait_for(lambda: any("item" in row for row in desktop.told()), "the icon in the tray")
        place(window, "SBIN", "BUY", 1)  # no window manager has given the window the focus
        wait_for(desktop.bodies, "a notification")
        assert desktop.bodies()[0].startswith("Filled: BUY 1 SBIN @ ")
        focus(window, "here")
        window.wait("dock('chart').window().isActiveWindow()", "the focus")
        count = len(desktop.bodies())
        place(window, "SBIN", "BUY", 2)
        held = "[row.quantity for row in dock('chart').bridge.books.positions]"
        window.wait(f"{held} == [3]", "the second fill")
        window.hand("sleep", "1")  # what would come, comes within 250 ms
        assert len(desktop.bodies()) == count
        assert set(desktop.menu()[1]) >= {"Show the window", "Mute sounds", "Flatten…", "Quit"}
        sound = "dock('chart').bridge.setting('sounds.on')"
        assert window.ask(sound) is True
        desktop.choose("Mute sounds")
        window.wait(f"{sound} is False", "silence")
        wait_for(lambda: "Day P/L" in desktop.tooltip(), "the result in the tooltip")
        assert "<" not in desktop.tooltip()
        desktop.choose("Flatten…")
        window.wait("seen('dialog-confirm') is not None", "the review")
        window.click("rect('dialog-confirm-no')")
