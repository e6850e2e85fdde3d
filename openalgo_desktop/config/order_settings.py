"""Settings of what the window asks and guards before it sends."""

from __future__ import annotations

from openalgo_desktop.config.setting import Setting
from openalgo_desktop.core.acts import Act, Asking
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.numbers import is_digits

_CONFIRM = "Confirmations"
#: More sizes than this have no room in a ticket.
MOST_SIZES = 6


def _is_size(text: str) -> bool:
    return is_digits(text) and len(text) <= 9 and int(text) > 0


def size_list(value: object) -> str:
    """Kind of a setting with sizes like ``1,2,5``; raises :class:`ConfigError`."""
    parts = [part.strip() for part in str(value).split(",") if part.strip()]
    if not parts or len(parts) > MOST_SIZES or not all(map(_is_size, parts)):
        raise ConfigError(f"Write 1 to {MOST_SIZES} whole numbers above 0, like 1,2,5,10.")
    return ",".join(str(int(part)) for part in parts)


#: What is asked about, in words, and how often at first. Flatten is a list to read in any case.
_ACTS: tuple[tuple[Act, str, Asking], ...] = (
    (Act.PLACE, "a new order", Asking.LIMITS),
    (Act.MODIFY, "a change of an order", Asking.LIMITS),
    (Act.DRAG, "an order that was dragged to another price", Asking.LIMITS),
    (Act.CANCEL, "a cancellation", Asking.LIMITS),
    (Act.CANCEL_ALL, "cancelling everything", Asking.LIMITS),
    (Act.CLOSE, "closing a position", Asking.LIMITS),
    (Act.REVERSE, "reversing a position", Asking.LIMITS),
    (Act.CONVERT, "converting a position to another product", Asking.ALWAYS),
    (Act.FLATTEN, "closing everything", Asking.ALWAYS),
    (Act.BASKET, "sending a basket", Asking.LIMITS),
)
#: Limit, help, default, highest. A NIFTY future of two lots is below the value, three are above.
_LIMITS: tuple[tuple[str, str, float, float], ...] = (
    ("value", "Ask above this value, rupees", 5_000_000.0, 1e15),
    ("lots", "Ask above so many lots", 20.0, 1e9),
    (
        "percent",
        "Ask, and warn, when an order may trade so much worse than the market, per cent",
        5.0,
        1000.0,
    ),
    (
        "spread",
        "Ask, and warn, for a market order in an option with bid and ask further apart, per cent",
        5.0,
        200.0,
    ),
)

ORDER_SETTINGS: tuple[Setting, ...] = (
    *(
        Setting(
            f"confirm.{act.value}",
            default.value,
            f"Ask before {words}",
            choices=tuple(asking.value for asking in Asking),
            group=_CONFIRM,
        )
        for act, words, default in _ACTS
    ),
    *(
        Setting(
            f"confirm.{name}",
            default,
            f"{text}; 0 = off",
            float,
            low=0,
            high=high,
            group=_CONFIRM,
        )
        for name, text, default, high in _LIMITS
    ),
    Setting(
        "arm.idle_minutes",
        15.0,
        "Minutes without a hand on the window until one-click trading is disarmed",
        float,
        low=1,
        high=240,
        group="Safety",
    ),
    Setting(
        "ticket.sizes_lots",
        "1,2,5,10",
        "Sizes offered in the ticket, in lots, comma separated",
        size_list,
        group="Window",
    ),
    Setting(
        "ticket.sizes_units",
        "1,10,50,100",
        "Sizes offered in the ticket where there are no lots, in units",
        size_list,
        group="Window",
    ),
    Setting(
        "ui.default_lots",
        1,
        "Lots of a new ticket, where there are lots",
        int,
        low=1,
        high=100,
        group="Window",
    ),
    Setting(
        "ui.wheel",
        False,
        "The mouse wheel changes quantity and price of an order while the field has the focus",
        bool,
        group="Window",
    ),
)
