"""The request builder: choose an endpoint, edit the body, send, copy as curl or Python."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPlainTextEdit,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.api_rows import ApiRequest
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.api import ApiEndpoint
from openalgo_desktop.ui.engine.api_request import PLACEHOLDER, ApiCall, send
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import (
    copy_text,
    label,
    named,
    plain_tip,
    push_button,
    set_role,
)

KEPT = 30
FIRST_ERROR = 400
FIXED_SIZE = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


class RequestBuilder(QWidget):
    """``history`` holds [endpoint name, body text] of the last calls, newest first."""

    def __init__(self, bridge: Bridge, spawn: Spawn) -> None:
        super().__init__()
        self._bridge = bridge
        self._spawn = spawn
        self._endpoints: dict[str, ApiEndpoint] = {row.name: row for row in bridge.api.endpoints()}
        self._sending = False
        self.history: list[list[str]] = []
        named(self, "api-builder", "Request builder")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 2, 8, 8)
        column.setSpacing(6)
        column.addLayout(self._build_head())
        split = named(QSplitter(Qt.Orientation.Horizontal), "api-builder-split", "Body and answer")
        self.body = self._editor("api-builder-body", "Request body as JSON, without the key")
        self.answer = self._editor("api-builder-answer", "Answer")
        self.answer.setReadOnly(True)
        self.answer.setPlaceholderText("The answer appears here")
        split.addWidget(self.body)
        split.addWidget(self.answer)
        column.addWidget(split, 1)
        column.addLayout(self._build_foot())
        self._on_endpoint()

    @staticmethod
    def _editor(name: str, accessible: str) -> QPlainTextEdit:
        editor = named(QPlainTextEdit(), name, accessible)
        editor.setProperty("role", "code")
        editor.setTabChangesFocus(True)
        return editor

    def _build_head(self) -> QHBoxLayout:
        self.endpoint = named(QComboBox(), "api-builder-endpoint", "Endpoint")
        self.endpoint.setSizeAdjustPolicy(FIXED_SIZE)
        self.endpoint.setMinimumContentsLength(18)
        for row in self._endpoints.values():
            self.endpoint.addItem(f"{row.method}  {row.name}", row.name)
            self.endpoint.setItemData(
                self.endpoint.count() - 1, plain_tip(row.doc), Qt.ItemDataRole.ToolTipRole
            )
        self.endpoint.activated.connect(lambda _: self._on_endpoint())
        self.recent = named(QComboBox(), "api-builder-history", "Requests sent before")
        self.recent.setSizeAdjustPolicy(FIXED_SIZE)
        self.recent.setMinimumContentsLength(10)
        self.recent.activated.connect(self._on_recent)
        self._fill_recent()
        self.send_button = push_button("Send", "api-builder-send", "Send the request", self._send)
        self.send_button.setProperty("role", "primary")
        sends(self.send_button)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.endpoint)
        head.addWidget(self.send_button)
        head.addWidget(self.recent)
        head.addStretch(1)
        return head

    def _build_foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setSpacing(6)
        self.result = label("", "api-builder-result", "muted")
        self.result.setWordWrap(True)
        self.result.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        foot.addWidget(self.result, 1)
        self.with_key = named(
            QCheckBox("with key"), "api-builder-with-key", "Put the API key into copied text"
        )
        for text, kind in (("Copy as curl", "curl"), ("Copy as Python", "python")):
            copy = partial(self._start_copy, kind)
            foot.addWidget(push_button(text, f"api-builder-copy-{kind}", text, copy))
        foot.addWidget(self.with_key)
        return foot

    # -- choosing ---------------------------------------------------------------------------
    def _row(self) -> ApiEndpoint | None:
        return self._endpoints.get(str(self.endpoint.currentData()))

    def _on_endpoint(self) -> None:
        row = self._row()
        if row is None:
            self._say("The local API is off.", "muted")
            return
        self.body.setPlainText(json.dumps(dict(row.example), indent=2))
        self._say(row.doc, "muted")

    def _fill_recent(self) -> None:
        self.recent.clear()
        self.recent.addItem("History")
        for name, body in self.history:
            self.recent.addItem(f"{name}  {' '.join(body.split())[:40]}")
        self.recent.setEnabled(bool(self.history))

    def _on_recent(self, index: int) -> None:
        if not 1 <= index <= len(self.history):
            return
        name, body = self.history[index - 1]
        place = self.endpoint.findData(name)
        if place >= 0:
            self.endpoint.setCurrentIndex(place)
            self.body.setPlainText(body)
        self.recent.setCurrentIndex(0)

    def call_of(self, row: ApiRequest) -> ApiCall | None:
        """A request that came, to be asked again; None where its fields were not kept."""
        known = self._endpoints.get(row.endpoint)
        if known is None or row.body is None:
            return None
        return ApiCall(row.method, self._bridge.api.state()[0] + known.route, row.body)

    def show_call(self, row: ApiRequest) -> None:
        """Show a request that came; nothing is sent."""
        place = self.endpoint.findData(row.endpoint)
        if place >= 0 and row.body is not None:
            self.endpoint.setCurrentIndex(place)
            self._on_endpoint()
            self.body.setPlainText(json.dumps(row.body, indent=2, ensure_ascii=False))

    def set_history(self, rows: list[Any]) -> None:
        """Bring back the calls of an earlier run."""
        self.history = [
            [str(row[0]), str(row[1])] for row in rows if isinstance(row, list) and len(row) == 2
        ][:KEPT]
        self._fill_recent()

    # -- sending ----------------------------------------------------------------------------
    def call(self) -> ApiCall:
        """The request as the fields stand; raises :class:`AppError` when the body is not JSON."""
        row = self._row()
        if row is None:
            raise AppError("The local API is off.")
        try:
            body = json.loads(self.body.toPlainText() or "{}")
        except ValueError as error:
            raise AppError(f"The body is not JSON: {error}.") from None
        if not isinstance(body, dict):
            raise AppError("The body must be a JSON object.")
        body.pop("apikey", None)
        return ApiCall(row.method, self._bridge.api.state()[0] + row.route, body)

    def _say(self, text: str, role: str) -> None:
        self.result.setText(text)
        set_role(self.result, role)

    def _send(self) -> None:
        if self._sending:
            return
        self._sending = True
        self._spawn(self._send_call(), "send request", sends=True)

    async def _send_call(self) -> None:
        try:
            row, call = self._row(), self.call()
            key = await self._bridge.api.default_key()
            if row is None or key is None:
                raise AppError("There is no API key.")
            if (
                row.trades
                and self._bridge.mode is Mode.LIVE
                and not await confirm(
                    self,
                    "Send to LIVE?",
                    f"{row.name} may place or change orders with real money.",
                    "Send",
                    danger=True,
                )
            ):
                return
            self._remember(row.name, self.body.toPlainText())
            self._say("Sending…", "muted")
            answer = await send(call, key)
            self.answer.setPlainText(answer.text)
            good = 0 < answer.status < FIRST_ERROR
            status = answer.status or "no answer"
            self._say(
                f"{status}   {answer.milliseconds:.1f} ms   {len(answer.text)} characters",
                "success" if good else "error",
            )
        except AppError as error:
            self._say(error.message, "error")
        finally:
            self._sending = False

    def _remember(self, name: str, body: str) -> None:
        self.history = [[name, body], *(row for row in self.history if row != [name, body])][:KEPT]
        self._fill_recent()

    def _start_copy(self, kind: str) -> None:
        self._spawn(self._copy(kind), "copy request")

    async def _copy(self, kind: str) -> None:
        try:
            call = self.call()
        except AppError as error:
            self._say(error.message, "error")
            return
        text = PLACEHOLDER
        if self.with_key.isChecked():
            key = await self._bridge.api.default_key()
            text = key.reveal() if key is not None else PLACEHOLDER
        copy_text(call.as_curl(text) if kind == "curl" else call.as_python(text))
        self._say(f"Copied as {kind}.", "muted")
