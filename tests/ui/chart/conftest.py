"""A chart in a window."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.kit import theme


@pytest.fixture
def make_chart(qtbot: QtBot, qapp: QApplication) -> Callable[[], ChartView]:
    """Makes a chart that is shown."""
    theme.apply(qapp, "dark")

    def make() -> ChartView:
        view = ChartView()
        view.setObjectName("chart-view")
        view.resize(1200, 700)
        qtbot.addWidget(view)
        view.show()
        qtbot.waitExposed(view)
        return view

    return make


@pytest.fixture
def chart(make_chart: Callable[[], ChartView]) -> ChartView:
    return make_chart()
