"""The API monitor: requests, WebSocket clients, and a builder for requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QStackedWidget, QWidget

from openalgo_desktop.core.api_rows import ApiRequest
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.elided import ElidedText
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import Column, FastTableModel, FastTableView
from openalgo_desktop.ui.kit.trader_words import REQUESTS as REQUEST_WORDS
from openalgo_desktop.ui.kit.widgets import copy_text, named, push_button
from openalgo_desktop.ui.rooms.api.api_builder import RequestBuilder

if TYPE_CHECKING:
    from openalgo_desktop.ui.engine.api import ClientInfo

SHOWN = 300
PAGES = ("Requests", "Clients", "Builder")
NOT_FOUND, SERVER_ERROR = 400, 500
OFF = "The local API is off. Switch it on in Settings, Local API, and start again."
WAITING = "No requests yet.\nScripts connect to {rest} with your API key."


def _status_tone(row: ApiRequest) -> str:
    if row.status >= SERVER_ERROR:
        return "down"
    return "warning" if row.status >= NOT_FOUND else "up"


def request_words(endpoint: str) -> str:
    """What a client asked for; a dash where the endpoint sends nothing."""
    return REQUEST_WORDS.get(endpoint.rpartition("/")[2], fmt.MISSING)


def _milliseconds(value: float) -> str:
    return f"{value:.2f}"


REQUESTS: tuple[Column[ApiRequest], ...] = (
    Column("time", "Time", 74, lambda r: r.serial, lambda r: fmt.clock_text(r.at), numeric=False),
    Column("status", "Status", 56, lambda r: r.status, tone=_status_tone),
    Column("method", "Method", 58, lambda r: r.method, numeric=False),
    Column("what", "Request", 96, lambda r: request_words(r.endpoint), numeric=False),
    Column("endpoint", "Endpoint", 190, lambda r: r.endpoint or "–", numeric=False),
    Column("key", "Key", 140, lambda r: r.key or "–", numeric=False),
    Column("total", "Total ms", 78, lambda r: r.total, lambda r: _milliseconds(r.total)),
    Column("queue", "Queue", 70, lambda r: r.queue, lambda r: _milliseconds(r.queue)),
    Column("ours", "Ours", 70, lambda r: r.ours, lambda r: _milliseconds(r.ours)),
    Column("broker", "Broker", 70, lambda r: r.broker, lambda r: _milliseconds(r.broker)),
    Column("size", "Bytes", 70, lambda r: r.size, lambda r: fmt.quantity(r.size)),
    Column("client", "Client", 110, lambda r: r.client, numeric=False),
)


def _subscriptions(row: ClientInfo) -> str:
    shown = ", ".join(f"{s} {m}" for _, s, m in row.subscriptions[:12])
    more = len(row.subscriptions) - 12
    return f"{shown} and {more} more" if more > 0 else shown


CLIENTS: tuple[Column[ClientInfo], ...] = (
    Column("remote", "Client", 150, lambda c: c.remote, numeric=False),
    Column("key", "Key", 130, lambda c: c.key or "not yet authenticated", numeric=False),
    Column("count", "Symbols", 66, lambda c: len(c.subscriptions)),
    Column("orders", "Orders", 60, lambda c: "yes" if c.orders else "no", numeric=False),
    Column("sent", "Sent", 90, lambda c: c.delivered, lambda c: fmt.quantity(c.delivered)),
    Column(
        "conflated", "Conflated", 86, lambda c: c.conflated, lambda c: fmt.quantity(c.conflated)
    ),
    Column(
        "state",
        "State",
        60,
        lambda c: "slow" if c.slow else "ok",
        tone=lambda c: "warning" if c.slow else "up",
        numeric=False,
    ),
    Column("subscriptions", "Subscriptions", 420, _subscriptions, numeric=False),
)


class ApiMonitorDock(Dock):
    """What scripts do with this terminal, live."""

    name = "api-monitor"
    title = "API"
    priority = 2
    min_interval = 0.25

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self._serial = -1
        self.page = Segments("api-monitor-page", "What to show", PAGES, compact=True)
        self.page.choose(PAGES[0])
        self.rest = ElidedText("api-monitor-rest", "text")
        self.ws = ElidedText("api-monitor-ws", "text")
        self.content.addLayout(self._head())
        self._pages = named(QStackedWidget(), "api-monitor-pages", "API monitor")
        self.requests: FastTableModel[ApiRequest] = FastTableModel(REQUESTS)
        self.request_view = named(
            FastTableView(self.requests), "api-monitor-requests", "Requests, newest first"
        )
        self.clients: FastTableModel[ClientInfo] = FastTableModel(CLIENTS)
        self.client_view = named(
            FastTableView(self.clients, "No WebSocket client is connected."),
            "api-monitor-clients",
            "WebSocket clients",
        )
        self.builder = RequestBuilder(bridge, self.spawn)
        self._menus = (
            TableMenu(self, self.request_view, REQUESTS, "Requests", self._fill_request),
            TableMenu(self, self.client_view, CLIENTS, "WebSocket clients"),
        )
        for page in (self.request_view, self.client_view, self.builder):
            self._pages.addWidget(page)
        self.content.addWidget(self._pages, 1)
        self.page.changed.connect(lambda name: self._pages.setCurrentIndex(PAGES.index(name)))
        self._refresh()

    # -- addresses --------------------------------------------------------------------------
    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 4)
        head.setSpacing(6)
        head.addWidget(self.page)
        for address, name in ((self.rest, "rest"), (self.ws, "ws")):
            head.addWidget(address, 1)
            head.addWidget(self._copy_button(name, address))
        head.addWidget(
            push_button("Copy key", "api-monitor-copy-key", "Copy the API key", self._copy_key)
        )
        return head

    @staticmethod
    def _copy_button(name: str, address: ElidedText) -> QPushButton:
        return push_button(
            "Copy",
            f"api-monitor-copy-{name}",
            f"Copy the {name} address",
            lambda: copy_text(address.text()),
        )

    def _copy_key(self) -> None:
        self.spawn(self._copy_default_key(), "copy API key")

    async def _copy_default_key(self) -> None:
        key = await self.bridge.api.default_key()
        if key is not None:
            copy_text(key.reveal())
            self.bridge.notice.emit("info", "API key copied to the clipboard.")

    # -- menu and files ---------------------------------------------------------------------
    def _fill_request(self, menu: QMenu, row: ApiRequest) -> None:
        """The request as text, or in the builder: nothing is sent."""
        call = self.builder.call_of(row)
        if call is None:
            return
        self.add_item(menu, "Copy as curl", lambda: copy_text(call.as_curl()))
        self.add_item(menu, "Copy as Python", lambda: copy_text(call.as_python()))
        self.add_item(menu, "Ask again in the builder", lambda: self.ask_again(row))

    def ask_again(self, row: ApiRequest) -> None:
        """Fill the builder with a request that came."""
        self.builder.show_call(row)
        self.page.choose(PAGES[-1])
        self._pages.setCurrentIndex(PAGES.index(PAGES[-1]))

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        page = PAGES.index(self.page.value())
        return self._menus[page].exports() if page < len(self._menus) else super().exports()

    # -- live -------------------------------------------------------------------------------
    def wants_flush(self) -> bool:
        return not self.visibleRegion().isEmpty()

    def flush(self) -> None:
        self._refresh()
        self.request_view.flush()
        self.client_view.flush()

    def _refresh(self) -> None:
        door = self.bridge.api
        rest, ws, _ = door.state()
        if self.rest.text() != rest:
            self.rest.show_text(rest)
            self.ws.show_text(ws)
        self.request_view.empty_text = WAITING.format(rest=rest) if rest else OFF
        clients = door.clients()
        if clients != self.clients.store.rows:
            self.clients.set_rows(clients)
        serial = door.serial()
        if serial == self._serial:
            return
        self._serial = serial
        self.requests.set_rows(door.recent(SHOWN))
        self.set_subject(f"{fmt.quantity(serial)} requests" if serial else "")

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"page": self.page.value(), "history": self.builder.history}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        page = state.get("page")
        if isinstance(page, str) and page in PAGES:
            self.page.choose(page)
            self._pages.setCurrentIndex(PAGES.index(page))
        history = state.get("history")
        if isinstance(history, list):
            self.builder.set_history(history)
