"""A layout as a tree of splits and tabs, and how a window is laid out by it.

Shipped workspaces are such trees (``resources/workspaces``). What the user makes of them is kept by
Qt's own state (:mod:`.workspace`), for a tree cannot say every place a dock can be in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from openalgo_desktop.config.resources import resource_text


class Tabs(msgspec.Struct, frozen=True, tag="tabs"):
    """Docks in one place, by name; ``front`` is shown."""

    docks: tuple[str, ...]
    front: str = ""


class Split(msgspec.Struct, frozen=True, tag="split"):
    """Parts beside (``h``) or below (``v``) one another. ``sizes`` are fractions of the window;
    ``least`` and ``most`` bound them in pixels (0: no bound)."""

    way: Literal["h", "v"]
    parts: tuple[Tabs | Split, ...]
    sizes: tuple[float, ...]
    least: tuple[int, ...] = ()
    most: tuple[int, ...] = ()


class Preset(msgspec.Struct, frozen=True):
    """A shipped workspace: the tree of the main window, of further windows, and what some docks
    start with (state by name, as :meth:`Dock.restore_state` takes it)."""

    title: str
    about: str
    main: Tabs | Split
    windows: tuple[Tabs | Split, ...] = ()
    narrow: Tabs | Split | None = None  # of the main window where there is little room
    docks: dict[str, dict[str, object]] = {}
    futures: dict[str, str] = {}  # underlying whose near future a link group shows at first


def load_preset(name: str) -> Preset:
    """A shipped workspace by its file name."""
    return msgspec.json.decode(resource_text(f"workspaces/{name}.json"), type=Preset)


def names(part: Tabs | Split) -> Iterator[str]:
    """All docks of a tree, in order."""
    if isinstance(part, Tabs):
        yield from part.docks
    else:
        for child in part.parts:
            yield from names(child)


def first(part: Tabs | Split) -> str:
    """The dock that stands for a part while its inside is not laid out yet."""
    return next(names(part))


def prune(part: Tabs | Split, known: Callable[[str], str | None]) -> Tabs | Split | None:
    """The tree without docks that are not known (``known`` gives None); None when none is left."""
    if isinstance(part, Tabs):
        docks = tuple(name for name in part.docks if known(name) == name)
        front = part.front if part.front in docks else ""
        return Tabs(docks, front) if docks else None
    kept = [(index, prune(child, known)) for index, child in enumerate(part.parts)]
    left = [(index, child) for index, child in kept if child is not None]
    if not left:
        return None
    if len(left) == 1:
        return left[0][1]
    share = sum(part.sizes[index] for index, _ in left)
    return Split(
        part.way,
        tuple(child for _, child in left),
        tuple(part.sizes[index] / share for index, _ in left),
        tuple(part.least[index] for index, _ in left) if part.least else (),
        tuple(part.most[index] for index, _ in left) if part.most else (),
    )


def lay_out(window: QMainWindow, root: Tabs | Split, docks: Mapping[str, QDockWidget]) -> None:
    """Put ``docks`` (all that the tree names) where the tree says, and show them."""
    for name in names(root):
        dock = docks[name]
        # One that was never in a place says that it floats, and to land it costs 10 ms.
        if dock.isFloating() and dock.parentWidget() is not None:
            dock.setFloating(False)
        window.removeDockWidget(dock)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks[first(root)])
    _place(window, root, docks)
    for name in names(root):
        docks[name].show()
    _raise(root, docks)
    _size(window, root, docks, window.width(), window.height())


def _place(window: QMainWindow, part: Tabs | Split, docks: Mapping[str, QDockWidget]) -> None:
    if isinstance(part, Tabs):
        for name, after in itertools.pairwise(part.docks):
            window.tabifyDockWidget(docks[name], docks[after])
        return
    way = Qt.Orientation.Horizontal if part.way == "h" else Qt.Orientation.Vertical
    for one, other in itertools.pairwise(part.parts):
        window.splitDockWidget(docks[first(one)], docks[first(other)], way)
    for child in part.parts:
        _place(window, child, docks)


def _raise(part: Tabs | Split, docks: Mapping[str, QDockWidget]) -> None:
    if isinstance(part, Tabs):
        docks[part.front or part.docks[0]].raise_()
        return
    for child in part.parts:
        _raise(child, docks)


def _size(
    window: QMainWindow,
    part: Tabs | Split,
    docks: Mapping[str, QDockWidget],
    width: int,
    height: int,
) -> None:
    """``resizeDocks`` from the outside to the inside."""
    if isinstance(part, Tabs):
        return
    across = part.way == "h"
    whole = width if across else height
    pixels = _bounded(part, whole)
    way = Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
    window.resizeDocks([docks[first(child)] for child in part.parts], pixels, way)
    for child, size in zip(part.parts, pixels, strict=True):
        _size(window, child, docks, size if across else width, height if across else size)


def _bounded(part: Split, whole: int) -> list[int]:
    """Pixels of each part; what bounds take away or add falls to the largest."""
    sizes = []
    for index, share in enumerate(part.sizes):
        size = int(whole * share)
        if part.least:
            size = max(size, part.least[index])
        if part.most and part.most[index]:
            size = min(size, part.most[index])
        sizes.append(size)
    largest = max(range(len(sizes)), key=lambda index: part.sizes[index])
    sizes[largest] = max(1, sizes[largest] + whole - sum(sizes))
    return sizes
