"""Arithmetic of legs: ``A - B``, ``(A + B) / 2``, ``2 * CE - PE`` as one instrument of a chart."""

from __future__ import annotations

from openalgo_desktop.core.charting.legs.bars import Combined, combined
from openalgo_desktop.core.charting.legs.expression import Expression, sum_of
from openalgo_desktop.core.charting.legs.live import LivePrice
from openalgo_desktop.core.charting.legs.parser import parse

__all__ = ["Combined", "Expression", "LivePrice", "combined", "parse", "sum_of"]
