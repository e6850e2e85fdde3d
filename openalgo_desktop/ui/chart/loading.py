"""Loads the drawing library without holding the loop, and without two threads in Qt's types.

PySide makes a type when it is first named. pyqtgraph names all of them while it is imported; in a
thread beside the loop one of them was half made when a paint needed it, and the program ended with
a segmentation fault. So they are named on the loop first, a few at a time; only then the library is
imported in a thread.
"""

from __future__ import annotations

import asyncio
import importlib
import time

#: What pyqtgraph takes its names from.
_MODULES = ("QtCore", "QtGui", "QtWidgets", "QtSvg", "QtOpenGLWidgets", "QtTest")
#: What one turn of the loop may take, seconds.
_TURN = 0.003

_loaded: list[bool] = []


async def load_drawing() -> None:
    """Return when charts can be drawn; at once but for the first time."""
    if _loaded:
        return
    for name in _MODULES:
        try:
            module = importlib.import_module(f"PySide6.{name}")
        except ImportError:  # pyqtgraph does without
            continue
        began = time.perf_counter()
        for attribute in dir(module):
            getattr(module, attribute)
            if time.perf_counter() - began > _TURN:
                await asyncio.sleep(0)
                began = time.perf_counter()
    await asyncio.to_thread(importlib.import_module, "openalgo_desktop.ui.chart.canvas")
    _loaded.append(True)
