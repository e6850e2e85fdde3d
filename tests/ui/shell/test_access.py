"""Hands and ears: names of all controls, sizes of targets, the way of the Tab key, alerts."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.elided import ElidedText
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.kit.widgets import controls, name_inner_controls
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.scene import dialogs, place_some
from tests.ui.driving import Drive, priced
from tests.waiting import until

#: Qt's own parts, which no hand aims at, or which are as large as what they are part of.
INNER = ("qt_", "QToolBarExtension", "ScrollLeftButton", "ScrollRightButton")


async def every_screen(session: Session) -> list[QWidget]:
    """All docks, one of a kind, and all dialogs, shown."""
    await priced(session)
    await place_some(session)
    window = session.window
    window.showNormal()
    window.resize(1920, 1080)
    found: list[QWidget] = []
    for kind in kinds():
        dock = window.docking.show(kind)
        name_inner_controls(dock)
        for _ in range(20):  # until it shows its prices, if it has any
            await asyncio.sleep(0.01)
            if not dock.wants_flush():
                break
        found.append(dock)
    for dialog in await dialogs(session):
        name_inner_controls(dialog)
        dialog.show()
        await asyncio.sleep(0)
        found.append(dialog)
    return found


def leave(screens: list[QWidget]) -> None:
    for screen in screens:
        if isinstance(screen, QDialog):
            screen.close()
            screen.deleteLater()


def unnamed(screens: list[QWidget]) -> list[str]:
    """Controls without both names."""
    found = [screen.objectName() for screen in screens if not screen.accessibleName()]
    return found + [
        f"{screen.objectName()}: {type(control).__name__} {control.objectName()!r}"
        for screen in screens
        for control in controls(screen)
        if not (control.objectName() and control.accessibleName())
    ]


def target(widget: QWidget) -> bool:
    """Whether a hand aims at it by itself."""
    owner = widget.parentWidget()
    return (
        widget.isVisible()
        and not widget.objectName().startswith(INNER)
        and isinstance(widget, QAbstractButton | QAbstractSpinBox | QComboBox | QLineEdit | QTabBar)
        and not isinstance(
            owner, QAbstractSpinBox | QComboBox | QLineEdit | QTabBar | QAbstractItemView
        )
        and not isinstance(widget, QHeaderView)
    )


def small(screens: list[QWidget], least: int) -> list[str]:
    """Targets lower than that many pixels."""
    return [
        f"{screen.objectName()}: {control.objectName()} {control.height()}"
        for screen in screens
        for control in screen.findChildren(QWidget)
        if target(control) and 0 < control.height() < least
    ]


def test_tab_reaches_every_control_of_a_dialog(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        await place_some(session)
        for dialog in await dialogs(session):
            dialog.show()
            await asyncio.sleep(0)
            chain, at = set(), dialog.nextInFocusChain()
            while at is not None and at is not dialog:
                chain.add(at)
                at = at.nextInFocusChain()
            reachable = Qt.FocusPolicy.TabFocus.value
            lost = [
                control.objectName()
                for control in controls(dialog)
                if control.isVisible()
                and control.isEnabled()
                and control.focusPolicy().value & reachable
                and control not in chain
            ]
            assert lost == [], dialog.objectName()
            unreachable = [
                control.objectName()
                for control in dialog.findChildren(QLineEdit)
                + dialog.findChildren(QComboBox)
                + dialog.findChildren(QPlainTextEdit)
                if control.isVisible()
                and control.isEnabled()
                and control.focusPolicy() is Qt.FocusPolicy.NoFocus
                and control.focusProxy() is None
                and not isinstance(control.parentWidget(), QAbstractSpinBox | QComboBox)
            ]
            assert unreachable == [], dialog.objectName()
            dialog.close()
            dialog.deleteLater()

    drive(scenario)


def chain_of(screen: QWidget) -> list[QWidget]:
    """What Tab goes through, in order, of what can be seen and used."""
    found: list[QWidget] = []
    at = screen.nextInFocusChain()
    while at is not None and at is not screen:
        stops = at.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if screen.isAncestorOf(at) and at.isVisible() and at.isEnabled() and stops:
            owner = at.parentWidget()
            if not isinstance(owner, QAbstractSpinBox | QComboBox) and at.width() > 1:
                found.append(at)
        at = at.nextInFocusChain()
    return found


def jumps(screens: list[QWidget]) -> list[str]:
    """Where Tab goes up within a column."""
    found = []
    for screen in screens:
        for one, other in pairwise(chain_of(screen)):
            first, second = (QRect(w.mapTo(screen, QPoint()), w.size()) for w in (one, other))
            same_column = first.left() < second.right() and second.left() < first.right()
            if same_column and second.bottom() <= first.top():
                found.append(f"{screen.objectName()}: {one.objectName()} -> {other.objectName()}")
    return found


def is_painted(widget: QWidget) -> bool:
    """Whether it draws its content itself, so that only its names tell what it shows."""
    ours = any(
        "paintEvent" in kind.__dict__ and kind.__module__.startswith("openalgo_desktop.")
        for kind in type(widget).__mro__
    )
    qt = QAbstractButton | QAbstractItemView | QAbstractSpinBox | QComboBox | QLineEdit
    return ours and not isinstance(widget, qt)


def silent(screens: list[QWidget]) -> list[str]:
    """What is painted and does not say what it shows."""
    found, seen = [], set()
    for screen in screens:
        for widget in screen.findChildren(QWidget):
            empty = isinstance(widget, ElidedText) and not widget.text()
            if is_painted(widget) and widget.isVisibleTo(screen) and not empty:
                seen.add(type(widget).__name__)
                reads = widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
                named_it = bool(widget.accessibleName())
                if not named_it or (reads and not widget.accessibleDescription()):
                    found.append(f"{screen.objectName()}: {widget.objectName()}")
    missing = {"DepthView", "LadderView", "MonthGrid", "EquityCurve"} - seen
    return found + [f"{name} is not shown" for name in missing]


def test_every_dock_and_dialog_has_names_targets_and_an_order_of_tab(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        screens = await every_screen(session)
        try:
            assert unnamed(screens) == []
            assert small(screens, look.density().target) == [] and look.density().target == 28
            assert jumps(screens) == []
            silence = list[str]()
            with contextlib.suppress(TimeoutError):  # figures come with the prices
                async with asyncio.timeout(30):
                    while silence := silent(screens):
                        await asyncio.sleep(0.1)
            assert silence == []
        finally:
            leave(screens)

    drive(scenario)


def test_targets_are_large_enough_in_every_compact_dock_and_dialog(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("ui.density", "compact")
        screens = await every_screen(session)
        try:
            assert small(screens, look.density().target) == [] and look.density().target == 22
        finally:
            leave(screens)

    drive(scenario)


def test_a_rejection_and_a_fill_are_told_to_screen_readers(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[QAccessible.Event, str]] = []

    def hear(event: QAccessibleEvent) -> None:
        widget = event.object()
        assert isinstance(widget, QWidget)
        told.append((event.type(), widget.accessibleName()))

    async def scenario(session: Session) -> None:
        monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
        await priced(session)
        await place_some(session)  # fills, and one order above the freeze quantity
        await until(lambda: any("Filled" in name for _, name in told), "a fill told")
        assert {kind for kind, _ in told} == {QAccessible.Event.Alert}
        session.window.toasts.show("error", "Rejected: BUY 1 lot NIFTY DEC FUT. No margin.")
        assert told[-1][1] == "error: Rejected: BUY 1 lot NIFTY DEC FUT. No margin."

    drive(scenario)
