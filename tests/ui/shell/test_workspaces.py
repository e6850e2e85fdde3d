"""Docks of kinds, link groups, workspaces: come, go, come back, and leave nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import kinds as registry
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.kinds import DockKind, kinds
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.shell import layout_tree, workspace
from openalgo_desktop.ui.shell import workspaces as workspaces_module
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.workspaces import PRESETS, _nearest
from tests.ui.driving import Drive, priced, resident_mib
from tests.ui.shell.test_growth import settled
from tests.waiting import at_rest, until

SBIN, INFY = ("NSE", "SBIN"), ("NSE", "INFY")


def places(window: QMainWindow, docks: dict[str, Dock]) -> dict[str, QRect]:
    """Where everything is."""
    return {"window": window.geometry()} | {
        name: dock.geometry() for name, dock in docks.items() if not dock.is_hidden()
    }


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docks take their sizes in as many turns as ever, which come sooner."""
    monkeypatch.setattr(workspaces_module, "SETTLE_MS", (0, 10, 10, 10))


async def drawn(session: Session) -> None:
    """Layouts of Qt are done in the turns that follow."""
    window, spaces = session.window, session.window.workspaces
    await until(lambda: spaces.at_rest, "the docks in their sizes")
    await at_rest(lambda: places(window, window.docks))
    session.app.sendPostedEvents()


@pytest.mark.docks("watchlist", "orders", "positions")
def test_every_kind_is_what_its_table_says(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        for kind in kinds().values():
            dock = session.window.docking.show(kind.id)
            assert type(dock).name == kind.id and type(dock).title == kind.title
            assert dock.objectName() == f"dock-{kind.id}" and dock.isVisible(), kind.id
            dock.close()

    drive(scenario)


async def leaves_nothing(session: Session, kind: DockKind, times: int) -> None:
    """Frame clock, prices, tasks and widgets are as before after a dock was open ``times``."""
    docking, bridge = session.window.docking, session.bridge
    for dock in docking.of_kind(kind.id):
        dock.close()

    async def again() -> None:
        dock = docking.open(kind.id)
        dock.show_symbol(SBIN)
        dock.flush()
        dock.close()
        await asyncio.sleep(0)
        session.app.sendPostedEvents(None, 52)  # deferred deletes

    for _ in range(max(2, times // 3)):
        await again()
    await settled(session)
    served, wanted = bridge.frames.served, set(bridge.prices._wanted)
    handlers = session.terminal.bus.handler_count()
    children, wishes = len(bridge.children()), len(bridge.depths._wishes)
    before, widgets = resident_mib(), len(session.app.allWidgets())
    for _ in range(times):
        await again()
    await settled(session)
    assert bridge.frames.served == served, kind.id
    assert set(bridge.prices._wanted) == wanted and f"dock-{kind.id}" not in wanted, kind.id
    assert session.terminal.bus.handler_count() == handlers, kind.id
    assert len(bridge.children()) <= children and len(bridge.depths._wishes) == wishes, kind.id
    assert len(session.app.allWidgets()) <= widgets + 3, kind.id
    assert resident_mib() - before < 9.0, kind.id  # in 60 times 150 KiB a dock


@pytest.mark.docks("watchlist", "orders", "positions")
def test_a_closed_dock_of_any_kind_leaves_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        for kind in kinds().values():
            await leaves_nothing(session, kind, 2)

    drive(scenario)


@pytest.mark.long
@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.id)
def test_a_closed_dock_leaves_nothing_after_many_times(drive: Drive, kind: DockKind) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        await leaves_nothing(session, kind, 60)

    drive(scenario, 110.0)


@pytest.mark.docks("watchlist", "orders", "positions")
def test_what_a_closed_dock_held_is_there_when_it_is_opened_again(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        docking = session.window.docking
        watchlist = session.window.docks["watchlist"]
        watchlist.set_keys([SBIN, INFY])  # type: ignore[attr-defined]
        watchlist.close()
        assert "watchlist" not in session.window.docks
        assert docking.open("watchlist").keys() == [SBIN, INFY]  # type: ignore[attr-defined]

    drive(scenario)


@pytest.mark.docks("watchlist", "orders", "positions")
def test_several_of_a_kind_in_groups_of_their_own(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        docking, bridge = session.window.docking, session.bridge
        first = docking.show("chart")
        second = docking.open("chart")
        alone = docking.open("chart")
        assert [dock.name for dock in docking.of_kind("chart")] == ["chart", "chart-2", "chart-3"]
        assert second.windowTitle() == "Chart 2"
        second.set_group(2)
        alone.set_group(0)
        bridge.select(SBIN)
        bridge.select(INFY, 2)
        shown = [dock.key for dock in (first, second, alone)]  # type: ignore[attr-defined]
        assert shown[:2] == [SBIN, INFY] and shown[2] not in (SBIN, INFY)
        second.set_group(1)
        assert second.key == SBIN  # type: ignore[attr-defined]

    drive(scenario)


@pytest.mark.docks("watchlist", "orders", "positions")
def test_a_group_carries_the_interval_where_it_is_chosen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        docking = session.window.docking
        charts = [docking.show("chart"), docking.open("chart"), docking.open("chart")]
        one, two, three = (dock for dock in charts if isinstance(dock, ChartDock))
        one.link_interval(True)
        two.link_interval(True)
        one.cell.interval.choose(Interval.M15.value)
        assert two.cell.interval.value() == Interval.M15.value
        assert three.cell.interval.value() == Interval.M5.value
        state = two.save_state()
        assert state["interval_linked"] is True and state["group"] == 1

    drive(scenario)


@pytest.mark.docks("watchlist", "orders", "positions")
def test_a_picked_row_leads_its_own_group_only(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        watchlist = session.window.docks["watchlist"]
        session.bridge.select(SBIN)
        watchlist.set_group(3)
        watchlist.pick(INFY)
        assert session.bridge.selected == SBIN
        assert session.bridge.links.key(3) == INFY
        watchlist.set_group(0)
        watchlist.pick(SBIN)
        assert session.bridge.links.key(3) == INFY

    drive(scenario)


def test_nothing_creeps_from_start_to_start(drive: Drive) -> None:
    seen: list[dict[str, QRect]] = []

    async def scenario(session: Session) -> None:
        window = session.window
        await drawn(session)
        if not seen:
            window.showNormal()
            window.setGeometry(4, 6, 790, 780)
            await drawn(session)
            window.resizeDocks(
                [window.docks["chart"], window.docks["ticket"]],
                [431, 351],
                Qt.Orientation.Horizontal,
            )
            await drawn(session)
        seen.append(places(window, window.docks))

    for _ in range(4):
        drive(scenario)
    assert seen[1] == seen[0] and seen[2] == seen[0] and seen[3] == seen[0]


@pytest.mark.docks("watchlist", "orders", "positions")
def test_a_reset_is_not_undone_by_what_was_brought_back_before(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        await drawn(session)
        spaces, turns = session.window.workspaces, list[int]()
        spaces._keep()
        spaces._show(spaces.current)
        assert not spaces.at_rest
        monkeypatch.setattr(workspace, "settle", lambda *_: turns.append(1))
        spaces.reset()
        assert spaces.at_rest
        await drawn(session)
        assert turns == []

    drive(scenario)


def test_every_shipped_workspace_comes_up_and_switching_loses_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        spaces = window.workspaces
        window.docks["watchlist"].set_keys([SBIN])  # type: ignore[attr-defined]
        window.docking.open("chart")
        await drawn(session)
        before = places(window, window.docks)
        names = spaces.names()
        assert len(names) == len(PRESETS) and spaces.current == names[0]
        for name in names[1:]:
            spaces.switch(name)
            await drawn(session)
            assert spaces.current == name
            assert all(not dock.isHidden() for dock in window.docks.values())
            assert len(spaces.windows) == (1 if name == "Second monitor" else 0)
        assert window.docks["chart-2"].cell.interval.value() == "1m"  # type: ignore[attr-defined]
        spaces.switch(names[0])
        await drawn(session)
        assert places(window, window.docks) == before
        assert window.docks["watchlist"].keys() == [SBIN]  # type: ignore[attr-defined]

    drive(scenario)


def test_a_second_window_is_there_after_a_restart(drive: Drive) -> None:
    async def arrange(session: Session) -> None:
        window = session.window
        other = window.workspaces.add_window()
        window.workspaces.move(window.docks["positions"], other)
        chart = window.docking.open("chart", other)
        assert window.docking.window_of(chart) is other
        assert other.windowTitle().startswith("[SANDBOX]")

    async def look(session: Session) -> None:
        (other,) = session.window.workspaces.windows
        names = {dock.name for dock in session.window.docking.in_window(other)}
        assert names == {"positions", "chart-2"}
        other.close()
        await drawn(session)
        assert "chart-2" not in session.window.docks and not session.window.workspaces.windows

    drive(arrange)
    drive(look)


def test_the_menu_of_a_title_takes_a_dock_to_another_window(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window, dock = session.window, session.window.docks["log"]

        def entry(words: str) -> QAction:
            window.workspaces.dock_menu(dock, QPoint(5, 5))
            menu = dock.findChild(QMenu, "dock-log-place-menu")
            assert isinstance(menu, QMenu)
            return next(action for action in menu.actions() if words in action.text())

        entry("new window").trigger()
        (other,) = window.workspaces.windows
        assert window.docking.window_of(dock) is other and dock.window() is other
        await drawn(session)
        entry("main window").trigger()
        assert dock.window() is window
        await drawn(session)
        entry("Close").trigger()
        assert "log" not in window.docks

    drive(scenario)


def test_names_export_and_import(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        spaces = session.window.workspaces
        spaces.save_as("  My   desk ")
        assert spaces.current == "My desk"
        with pytest.raises(ConfigError, match="already"):
            spaces.save_as("My desk")
        with pytest.raises(ConfigError, match="1 to 40"):
            spaces.save_as(" ")
        with pytest.raises(ConfigError, match="shipped"):
            spaces.rename("Intraday", "x")
        with pytest.raises(ConfigError, match="shipped"):
            spaces.delete("Intraday")
        session.window.docks["log"].close()
        file = tmp_path / "desk.json"
        spaces.export_to(file)
        spaces.rename("My desk", "Mine")
        spaces.delete("Mine")
        assert spaces.current == "Intraday" and "log" in session.window.docks
        assert spaces.import_from(file) == "My desk"
        assert "log" not in session.window.docks
        bad = tmp_path / "bad.json"
        bad.write_text("{}")
        with pytest.raises(ConfigError, match="no workspace"):
            spaces.import_from(bad)

    drive(scenario)


def test_a_layout_of_the_former_version_is_taken_over(drive: Drive) -> None:
    """It had one layout, with closed docks hidden in it."""

    async def store(session: Session) -> None:
        window, docks = session.window, session.window.docks
        docks["funds"].hide()
        row = workspace.capture(window, list(docks.values())) | {"version": 3}
        row.pop("docks")
        states = {name: {"linked": name != "depth"} for name in docks}
        states["watchlist"] = {"symbols": [list(INFY)]}
        old = {"layout": row, "docks": states, "symbol": list(SBIN)}
        window.workspaces.stop()
        await session.bridge.save_state(workspace.SCOPE, "last", old)
        window.save = nothing  # type: ignore[method-assign]

    async def nothing() -> None:
        return

    async def look(session: Session) -> None:
        docks = session.window.docks
        assert "funds" not in docks and len(docks) == 13
        assert docks["watchlist"].keys() == [INFY]  # type: ignore[attr-defined]
        assert session.bridge.selected == SBIN
        assert docks["depth"].group == 0 and docks["chart"].group == 1

    drive(store)
    drive(look)


def test_docks_that_came_went_or_changed_their_names(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, QRect]] = []

    async def arrange(session: Session) -> None:
        await drawn(session)
        seen.append(places(session.window, session.window.docks))

    async def damage(session: Session) -> None:
        """As another version had written it: depth was called book, and there was a dock more."""
        record = await session.bridge.load_state(workspace.SCOPE, "layout:Intraday")
        text = json.dumps(record).replace('"depth"', '"book"')
        record = json.loads(text)
        (rows,) = record["layouts"].values()
        rows[0]["docks"].append("lost-dock")
        session.window.docks["depth"].setObjectName("dock-book")
        rows[0]["state"] = workspace.capture(session.window, [])["state"]
        session.window.docks["depth"].setObjectName("dock-depth")
        record["docks"]["lost-dock"] = {"kept": 1}
        session.window.workspaces.stop()
        session.window.save = nothing  # type: ignore[method-assign]
        await session.bridge.save_state(workspace.SCOPE, "layout:Intraday", record)

    async def nothing() -> None:
        return

    async def look(session: Session) -> None:
        await drawn(session)
        assert places(session.window, session.window.docks) == seen[0]
        assert session.window.docking.states()["lost-dock"] == {"kept": 1}

    drive(arrange)
    drive(damage)
    known = dict(registry.kinds())
    known["depth"] = replace(known["depth"], former=("book",))
    registry.kinds.cache_clear()
    monkeypatch.setattr(registry, "kinds", lambda: known)
    drive(look)


def test_the_layout_of_the_most_similar_screen_is_taken(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        here = workspace.screen_key(session.window)
        width, height = (int(part) for part in here.split("x"))
        rows = {f"{width + 900}x{height + 300}": "far", f"{width + 10}x{height}": "near"}
        assert _nearest(rows, session.window) == "near"
        assert _nearest(rows | {here: "same"}, session.window) == "same"
        assert _nearest({}, session.window) is None

    drive(scenario)


def test_a_locked_layout_stays(drive: Drive) -> None:
    async def lock(session: Session) -> None:
        session.window.workspaces.lock(True)
        dock = session.window.docks["chart"]
        assert dock.features() == Dock.DockWidgetFeature.NoDockWidgetFeatures
        assert not dock.title_bar.close_button.isEnabled()

    async def look(session: Session) -> None:
        assert session.window.workspaces.locked
        dock = session.window.docking.open("chart")
        assert dock.features() == Dock.DockWidgetFeature.NoDockWidgetFeatures
        session.window.workspaces.lock(False)
        assert dock.features() != Dock.DockWidgetFeature.NoDockWidgetFeatures

    drive(lock)
    drive(look)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_sound_tree(name: str) -> None:
    preset = layout_tree.load_preset(name)

    def check(part: layout_tree.Tabs | layout_tree.Split) -> None:
        if isinstance(part, layout_tree.Split):
            assert len(part.parts) == len(part.sizes) and abs(sum(part.sizes) - 1.0) < 1e-6
            for bounds in (part.least, part.most):
                assert not bounds or len(bounds) == len(part.parts)
            for child in part.parts:
                check(child)

    names = [n for tree in (preset.main, *preset.windows) for n in layout_tree.names(tree)]
    assert len(set(names)) == len(names)
    trees = [preset.main, *preset.windows, *([preset.narrow] if preset.narrow else [])]
    for tree in trees:
        check(tree)
    if preset.narrow is not None:  # the same docks, in less room
        assert set(layout_tree.names(preset.narrow)) == set(layout_tree.names(preset.main))


@pytest.mark.docks("watchlist", "orders", "positions")
def test_the_toolbar_says_that_clicks_send_also_where_there_is_little_room(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window, bar = session.window, session.window.top_bar
        window.showNormal()
        window.resize(800, 700)
        await drawn(session)
        bridge = session.bridge
        assert bar.arm.text() != "ARMED"
        bridge.arm.arm(bridge.mode)
        await drawn(session)
        assert bar.arm.text() == "ARMED" and not bar.arm.visibleRegion().isEmpty()
        assert not bar.kill.visibleRegion().isEmpty()
        bridge.arm.disarm()
        assert bar.arm.text() == "Arm"

    drive(scenario)


def test_what_was_under_way_in_a_closed_dock_asks_for_no_prices(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = session.window.docks["depth"]
        dock.close()
        dock.want({SBIN: FeedMode.DEPTH})
        assert "dock-depth" not in session.bridge.prices._wanted

    drive(scenario)


def test_the_second_ladder_of_the_scalper_begins_with_a_future(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        spaces = session.window.workspaces
        spaces.switch("Scalper")
        near = session.bridge.near_future("BANKNIFTY", "NFO")
        assert near is not None and session.bridge.links.key(2) == near
        session.bridge.select(("NSE", "SBIN"), 2)  # what somebody has picked stays
        spaces.reset()
        assert session.bridge.links.key(2) == ("NSE", "SBIN")

    drive(scenario)


def test_what_lay_on_a_monitor_that_is_gone_comes_to_one_that_is_there(drive: Drive) -> None:
    """A further window and a floating panel, after a restart and after a switch."""
    away = QRect(6000, 5000, 700, 500)

    def sight(widget: QWidget) -> bool:
        screen = QGuiApplication.primaryScreen().availableGeometry()
        return screen.contains(widget.geometry())

    async def arrange(session: Session) -> None:
        window = session.window
        await drawn(session)
        other = window.workspaces.add_window()
        window.workspaces.move(window.docks["positions"], other)
        window.docks["log"].setFloating(True)
        await drawn(session)
        for far in (other, window.docks["log"]):
            far.setGeometry(away)
        await drawn(session)
        assert not sight(other) and not sight(window.docks["log"])

    async def look(session: Session) -> None:
        window = session.window
        await drawn(session)
        (other,) = window.workspaces.windows
        log = window.docks["log"]
        assert log.isFloating() and log.isVisible() and other.isVisible()
        assert sight(other) and sight(log)
        for far in (other, log):
            far.setGeometry(away)
        await drawn(session)
        window.workspaces.switch("Investor")
        await drawn(session)
        window.workspaces.switch("Intraday")
        await drawn(session)
        (other,) = window.workspaces.windows
        assert sight(other) and sight(window.docks["log"])

    drive(arrange)
    drive(look)
