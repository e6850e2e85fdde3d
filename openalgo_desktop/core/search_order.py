"""Which of two exchanges that list the same is shown first."""

from __future__ import annotations

_NAMES = (
    "NSE_INDEX",
    "BSE_INDEX",
    "MCX_INDEX",
    "GLOBAL_INDEX",
    "NSE",
    "BSE",
    "NFO",
    "BFO",
    "MCX",
    "NCDEX",
    "NCO",
    "CDS",
    "BCD",
    "CRYPTO",
)
#: Place of an exchange: spot prices first, NSE before BSE, MCX before NCO, CDS before BCD.
ORDER = {name: place for place, name in enumerate(_NAMES)}
