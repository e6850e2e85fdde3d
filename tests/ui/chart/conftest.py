"""A chart in a window."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.kit import theme


@pytest.fixture
def chart(qtbot: QtBot, qapp: QApplication) -> ChartView:
    theme.apply(qapp, "dark")
    view = ChartView()
    view.setObjectName("chart-view")
    view.resize(1200, 700)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    return view
