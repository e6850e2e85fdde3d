"""The frame clock: ticks to everybody, repaints in turns within the budget."""

from __future__ import annotations

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.frames import FrameClock, Ticks

TICK = Tick("SBIN", "NSE", 811.0)


class Client:
    def __init__(self, priority: int = 1, min_interval: float = 0.0) -> None:
        self.priority = priority
        self.min_interval = min_interval
        self.visible = True
        self.ticks: list[Ticks] = []
        self.flushes = 0

    def take(self, ticks: Ticks) -> None:
        self.ticks.append(ticks)

    def wants_flush(self) -> bool:
        return self.visible

    def flush(self) -> None:
        self.flushes += 1


def test_hidden_clients_get_ticks_but_no_turn(qtbot: QtBot) -> None:
    parent = QObject()
    clock = FrameClock(lambda: {TICK.key: TICK}, 30, parent)
    shown, hidden = Client(), Client()
    hidden.visible = False
    clock.add(shown)
    clock.add(hidden)
    clock.frame()
    assert shown.ticks == hidden.ticks == [{TICK.key: TICK}]
    assert (shown.flushes, hidden.flushes) == (1, 0)


def test_no_ticks_no_take(qtbot: QtBot) -> None:
    parent = QObject()
    clock = FrameClock(dict, 30, parent)
    client = Client()
    clock.add(client)
    clock.frame()
    assert client.ticks == []


def test_a_frame_gives_way_to_an_order_but_not_twice_in_a_row(qtbot: QtBot) -> None:
    parent = QObject()
    orders = iter([False, True, True, True, False, True])
    clock = FrameClock(lambda: {TICK.key: TICK}, 30, parent, hurried=lambda: next(orders))
    client = Client()
    clock.add(client)
    served = []
    for _ in range(6):
        clock.frame()
        served.append(client.flushes)
    assert served == [1, 1, 2, 2, 3, 3]
    assert len(client.ticks) == 3


def test_expensive_docks_take_turns_and_nobody_starves(qtbot: QtBot) -> None:
    parent = QObject()
    moments = (frame / 30 for frame in range(1000))
    clock = FrameClock(dict, 30, parent, now=lambda: next(moments))
    clients = [Client(priority) for priority in (0, 1, 2)]
    for client in clients:
        clock.add(client)
    for _ in range(60):
        clock.frame()
        clock.painted(30.0)
    before = [client.flushes for client in clients]
    for _ in range(60):
        clock.frame()
        clock.painted(9.0 * len(clients))
    gained = [client.flushes - old for client, old in zip(clients, before, strict=True)]
    assert all(turns > 0 for turns in gained)
    assert sum(gained) < 3 * 60  # not all of them in every frame


def test_percentiles_of_the_paint_time(qtbot: QtBot) -> None:
    parent = QObject()
    clock = FrameClock(dict, 30, parent)
    assert clock.percentile(0.5) == 0.0
    for milliseconds in range(1, 101):
        clock.painted(float(milliseconds))
    assert clock.percentile(0.5) == 51.0
    assert clock.percentile(0.95) == 96.0
