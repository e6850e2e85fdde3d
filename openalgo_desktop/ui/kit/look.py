"""How large and how lively the window is: density, text scale, motion. No Qt here.

Sizes in the code are those at a text scale of 100 per cent; :func:`px` gives what they are now.
Colours are in :mod:`openalgo_desktop.ui.kit.theme`. The scale of the screen is Qt's matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Density(NamedTuple):
    """Sizes of one density, pixels. ``target`` is the least side of what can be clicked."""

    target: int
    control: int  # content of a button or field, without padding and frame
    padding: int  # above and below the content of a button
    row: int
    header: int
    gap: int


DENSITIES: dict[str, Density] = {
    "comfortable": Density(target=28, control=18, padding=4, row=28, header=28, gap=6),
    "compact": Density(target=22, control=16, padding=2, row=22, header=24, gap=4),
}
#: Text scale, per cent.
SMALLEST, LARGEST = 80, 160


@dataclass(frozen=True)
class Look:
    """What the settings say. ``text_scale`` in per cent; ``still`` leaves out all motion."""

    density: str = "comfortable"
    text_scale: int = 100
    still: bool = False


class _State:
    look = Look()


def current() -> Look:
    """The look in force."""
    return _State.look


def use(look: Look) -> None:
    """Make ``look`` the one in force; who dresses the program calls it before all else."""
    if look.density not in DENSITIES or not SMALLEST <= look.text_scale <= LARGEST:
        raise ValueError(look)
    _State.look = look


def density() -> Density:
    """Sizes of the density in force."""
    return DENSITIES[_State.look.density]


def px(size: float) -> int:
    """A size that grows with the text, at the text scale in force."""
    return round(size * _State.look.text_scale / 100)


def still() -> bool:
    """Whether flashes and moving things are left out."""
    return _State.look.still
