"""Letters of five by seven dots, for numbers and names on a picture. Drawn for this program.

Each letter is seven rows, top first, of five bits, the leftmost the highest.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

WIDE, HIGH = 5, 7
_ROWS: dict[str, str] = {
    "0": "0E 11 13 15 19 11 0E", "1": "04 0C 04 04 04 04 0E", "2": "0E 11 01 06 08 10 1F",
    "3": "0E 11 01 06 01 11 0E", "4": "02 06 0A 12 1F 02 02", "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E", "7": "1F 01 02 04 08 08 08", "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C", "A": "0E 11 11 1F 11 11 11", "B": "1E 11 11 1E 11 11 1E",
    "C": "0E 11 10 10 10 11 0E", "D": "1E 11 11 11 11 11 1E", "E": "1F 10 10 1E 10 10 1F",
    "F": "1F 10 10 1E 10 10 10", "G": "0E 11 10 17 11 11 0F", "H": "11 11 11 1F 11 11 11",
    "I": "0E 04 04 04 04 04 0E", "J": "07 02 02 02 02 12 0C", "K": "11 12 14 18 14 12 11",
    "L": "10 10 10 10 10 10 1F", "M": "11 1B 15 15 11 11 11", "N": "11 19 15 13 11 11 11",
    "O": "0E 11 11 11 11 11 0E", "P": "1E 11 11 1E 10 10 10", "Q": "0E 11 11 11 15 12 0D",
    "R": "1E 11 11 1E 14 12 11", "S": "0F 10 10 0E 01 01 1E", "T": "1F 04 04 04 04 04 04",
    "U": "11 11 11 11 11 11 0E", "V": "11 11 11 11 11 0A 04", "W": "11 11 11 15 15 1B 11",
    "X": "11 11 0A 04 0A 11 11", "Y": "11 11 0A 04 04 04 04", "Z": "1F 01 02 04 08 10 1F",
    " ": "00 00 00 00 00 00 00", ".": "00 00 00 00 00 0C 0C", ",": "00 00 00 00 0C 04 08",
    ":": "00 0C 0C 00 0C 0C 00", "-": "00 00 00 1F 00 00 00", "+": "00 04 04 1F 04 04 00",
    "/": "01 01 02 04 08 10 10", "%": "19 19 02 04 08 13 13", "&": "0C 12 14 08 15 12 0D",
    "(": "02 04 08 08 08 04 02", ")": "08 04 02 02 02 04 08", "_": "00 00 00 00 00 00 1F",
}  # fmt: skip
#: What is drawn for a letter that is not there.
_OTHER = "1F 11 11 11 11 11 1F"


@lru_cache(256)
def _letter(letter: str) -> npt.NDArray[np.bool_]:
    rows = [int(row, 16) for row in _ROWS.get(letter.upper(), _OTHER).split()]
    return np.array([[row >> (WIDE - 1 - x) & 1 for x in range(WIDE)] for row in rows], bool)


def written(text: str, scale: int = 1) -> npt.NDArray[np.bool_]:
    """A line of text as dots: ``(7 * scale, width)``, True where it is inked."""
    if not text:
        return np.zeros((HIGH * scale, 0), bool)
    gap = np.zeros((HIGH, 1), bool)
    parts = [part for letter in text for part in (_letter(letter), gap)][:-1]
    return np.kron(np.hstack(parts), np.ones((scale, scale), bool))
