"""The column and the tooltip of an instrument: named as people do, its contract at hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.tables import Column

R = TypeVar("R")


def contract_tip(key: Key) -> str:
    """What hovering over a name tells: the symbol that is sent, and its exchange."""
    return f"{key[1]}  {key[0]}"


def exchange_text(exchange: str) -> str:
    """An exchange as people write it: ``NSE``, ``NSE index``."""
    return exchange.replace("_INDEX", " index")


def symbol_column(
    bridge: Bridge,
    key: Callable[[R], Key],
    width: int = 170,
    *,
    tip: Callable[[R], str] | None = None,
) -> Column[R]:
    """``NIFTY 02 DEC 24,400 CE``, sorted by underlying, expiry and strike. The contract's symbol
    is in the tooltip, under what ``tip`` has to say, and in what is copied."""

    def hover(row: R) -> str:
        said = tip(row) if tip is not None else ""
        contract = contract_tip(key(row))
        return f"{said}\n{contract}" if said else contract

    return Column(
        "symbol",
        "Symbol",
        width,
        lambda row: bridge.names.of(key(row)).rank,
        lambda row: bridge.name(key(row)),
        numeric=False,
        tip=hover,
        copied=lambda row: key(row)[1],
    )
