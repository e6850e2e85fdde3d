"""Which study is in which pane. Pane 0 is that of the prices; a pane's number says where it is
between the others and stays while studies come and go. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from openalgo_desktop.core.charting.studies import StudyWish

Over = Callable[[StudyWish], bool]


def places(wishes: Sequence[StudyWish], over: Over) -> dict[str, int]:
    """By ident, the pane; ``over`` says whether a study that chooses itself is with the prices.
    Each other one that does has a pane of its own, which no study was put into by hand."""
    taken = {wish.pane for wish in wishes if wish.pane > 0}
    found: dict[str, int] = {}
    number = 0
    for wish in wishes:
        if wish.pane >= 0:
            found[wish.ident] = wish.pane
        elif over(wish):
            found[wish.ident] = 0
        else:
            number = next(n for n in range(number + 1, number + len(taken) + 2) if n not in taken)
            found[wish.ident] = number
    return found


def to_prices(wishes: Sequence[StudyWish], ident: str) -> tuple[StudyWish, ...]:
    """The study is drawn over the prices."""
    return _put(wishes, {ident: 0})


def to_own(wishes: Sequence[StudyWish], ident: str, over: Over) -> tuple[StudyWish, ...]:
    """The study has a pane of its own."""
    rest = [wish for wish in wishes if wish.ident != ident]
    itself = next(wish for wish in wishes if wish.ident == ident)
    if not over(itself):
        return _put(wishes, {ident: -1})
    return _put(wishes, {ident: 1 + max((0, *places(rest, over).values()))})


def to_other(
    wishes: Sequence[StudyWish], ident: str, other: str, over: Over
) -> tuple[StudyWish, ...]:
    """The study is in the pane of another, which stays where it is."""
    number = places(wishes, over)[other]
    return _put(wishes, {ident: number, other: number} if number else {ident: 0})


def _put(wishes: Sequence[StudyWish], panes: Mapping[str, int]) -> tuple[StudyWish, ...]:
    return tuple(
        replace(wish, pane=panes[wish.ident]) if wish.ident in panes else wish for wish in wishes
    )
