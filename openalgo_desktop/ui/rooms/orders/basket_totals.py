"""The money of a basket: margin of the whole, what its lines save each other, charges, premium."""

from __future__ import annotations

from openalgo_desktop.core.basket import Basket, BasketMargin
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt


def totals_text(
    margin: BasketMargin, charges: float | None, premium: float | None, free: float | None
) -> str:
    """The money of a basket in a line; what nobody tells is a dash."""

    def money(value: float | None) -> str:
        return fmt.MISSING if value is None else f"₹ {fmt.money(value)}"

    parts = [f"Margin {money(margin.whole)}"]
    if margin.benefit is not None and margin.benefit > 1:
        parts.append(f"benefit {money(margin.benefit)} of {money(margin.alone)} apart")
    if margin.peak is not None and margin.whole is not None and margin.peak > margin.whole + 1:
        parts.append(f"most on the way {money(margin.peak)}")
    parts.append(f"charges {money(charges)}")
    if premium is not None:
        parts.append(f"premium {'received' if premium >= 0 else 'paid'} {money(abs(premium))}")
    if free is not None:
        parts.append(f"free {money(free)}")
    line = "  ·  ".join(part.replace(" ", "\u00a0") for part in parts)  # breaks between them only
    return f"{line}  ·  {margin.note}" if margin.note else line


async def asked_totals(bridge: Bridge, basket: Basket, mode: Mode) -> tuple[str, bool]:
    """The line of totals, and whether it needs more than is free."""
    margin = await bridge.baskets.margin(basket)
    legs = [bridge.orders.leg(line, mode) for line in basket.lines]
    charges = [leg.charges for leg in legs]
    options = [
        None if leg.value is None else -line.action.sign * leg.value
        for leg, line in zip(legs, basket.lines, strict=True)
        if (row := bridge.instrument(line.key)) is not None and row.is_option
    ]
    free = bridge.books.funds.available_cash if bridge.books.funds_known else None
    needed = margin.peak if margin.peak is not None else margin.whole
    short = free is not None and needed is not None and needed > free
    text = totals_text(
        margin,
        None if None in charges else sum(filter(None, charges)),
        None if not options or None in options else sum(filter(None, options)),
        free,
    )
    return (f"⚠ More than is free.  {text}" if short else text), short
