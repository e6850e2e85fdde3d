"""What a switch of the mode leaves behind, in words. No Qt here."""

from __future__ import annotations

from openalgo_desktop.core.enums import Mode


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def what_stays(mode: Mode, orders: int, positions: int, account: str) -> str:
    """Where working orders and open positions of ``mode`` are after leaving it; empty when there
    are none. ``account`` names the broker account."""
    parts = [
        _count(number, what)
        for number, what in ((orders, "working order"), (positions, "open position"))
        if number
    ]
    if not parts:
        return ""
    things, verb = " and ".join(parts), "stays" if orders + positions == 1 else "stay"
    if mode is Mode.SANDBOX:
        return (
            f"{things} {verb} in the sandbox, simulated as before. Nothing of it is sent to "
            f"{account}. Switch back to see and change it."
        )
    return (
        f"{things} {verb} at {account} with real money. Cancel all and Flatten act on the sandbox "
        "until you switch back."
    )
