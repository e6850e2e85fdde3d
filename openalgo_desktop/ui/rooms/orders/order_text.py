"""An order as its raw row: JSON, to read and to copy."""

from __future__ import annotations

import msgspec
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from openalgo_desktop.core.model import Order
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import copy_text, named, push_button


def raw_text(bridge: Bridge, order: Order) -> str:
    """The row as JSON, without secrets that a broker's reason may quote."""
    return bridge.clean(msgspec.json.format(msgspec.json.encode(order), indent=2).decode())


class OrderText(QDialog):
    """Not modal: several can be compared."""

    def __init__(self, parent: QWidget, bridge: Bridge, order: Order) -> None:
        super().__init__(parent)
        named(self, "dialog-order-text", f"Order {order.order_id} as JSON")
        self.setWindowTitle(f"Order {order.order_id}")
        self.setModal(False)
        self.resize(look.px(460), look.px(520))
        text = raw_text(bridge, order)
        self.text = named(QPlainTextEdit(text), "dialog-order-text-json", "The order as JSON")
        self.text.setReadOnly(True)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(
            push_button("Copy", "dialog-order-text-copy", "Copy the JSON", lambda: copy_text(text))
        )
        row.addWidget(push_button("Close", "dialog-order-text-close", "Close", self.close))
        column.addLayout(row)
