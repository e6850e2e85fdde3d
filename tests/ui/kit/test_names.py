"""Instruments as people name them, in the window; the contract's symbol on hover and in copies."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until


def call(session: Session) -> Key:
    """A call of the nearest expiry."""
    return session.bridge.search("nifty ce")[0].key


@pytest.mark.whole_layout
def test_names_in_tables_titles_and_toasts(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, window = session.bridge, session.window
        await priced(session, ("NSE_INDEX", "NIFTY"))
        key = call(session)
        row, name = bridge.instrument(key), bridge.name(key)
        assert row is not None
        assert name.startswith("NIFTY ") and name.endswith(" CE") and "," in name
        bridge.select(key)
        for dock in ("chart", "ticket", "depth"):
            subject = window.docks[dock].title_bar.subject
            assert subject.text().startswith(name)
            assert key[1] in subject.toolTip()
        request = OrderRequest(
            key[1], key[0], Action.BUY, row.lot_size, PriceType.MARKET, Product.NRML
        )
        await bridge.desk.place(request, bridge.mode)
        await until(lambda: len(bridge.books.positions) == 1, "the position")
        for dock in ("positions", "orders", "trades"):
            table = window.docks[dock]
            assert isinstance(table, TableDock)
            table.reload()
            index = table.model.index(0, [c.key for c in table.columns].index("symbol"))
            assert table.model.data(index) == name
            assert key[1] in str(table.model.data(index, Qt.ItemDataRole.ToolTipRole))
            assert key[1] in table.model.as_text()
            assert name not in table.model.as_csv()
        told: list[str] = []
        bridge.notice.connect(lambda _level, text: told.append(text))
        bridge._terminal.bus.publish(Notice(level="info", text=f"{key[1]} was left alone."))
        assert told[-1] == f"{name} was left alone."

    drive(scenario)


def test_the_grouping_reaches_names_that_are_shown(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        names = session.bridge.names
        symbol = ("NFO", "BANKNIFTY29DEC26120000CE")
        assert "1,20,000" in names.full(symbol)
        session.bridge.set_setting("ui.grouping", "western")
        assert "120,000" in names.full(symbol)

    drive(scenario)
