"""All tools. Each module of this folder has the table ``TOOLS`` of some families."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from openalgo_desktop.core.charting.drawings.model import Drawing, Family, Tool
from openalgo_desktop.core.errors import DataError


@cache
def tools() -> dict[str, Tool]:
    """Every tool by its id, family by family."""
    names = sorted(entry.name for entry in pkgutil.iter_modules(__path__))
    rows = [tool for name in names for tool in import_module(f"{__name__}.{name}").TOOLS]
    order = {family: place for place, family in enumerate(Family)}
    return {tool.tool: tool for tool in sorted(rows, key=lambda tool: order[tool.family])}


def tool(ident: str) -> Tool:
    """One of them; raises :class:`DataError`."""
    found = tools().get(ident)
    if found is None:
        raise DataError(f"Tool: there is no drawing tool {ident!r}.")
    return found


@cache
def by_family() -> dict[Family, tuple[Tool, ...]]:
    """The tools of each family, in the order of the tables."""
    rows = tools().values()
    return {family: tuple(row for row in rows if row.family is family) for family in Family}


def find(text: str) -> list[Tool]:
    """The tools that have all words of ``text`` in their title, family or other names; those
    whose title begins with it first. Nothing finds all."""
    wanted = text.casefold().split()
    found = [row for row in tools().values() if all(word in _words(row) for word in wanted)]
    return sorted(found, key=lambda row: not row.title.casefold().startswith(text.casefold()))


def _words(row: Tool) -> str:
    return " ".join((row.title, row.family.value, row.tool, *row.words)).casefold()


def title(drawing: Drawing) -> str:
    """What a drawing is called."""
    return drawing.name or tool(drawing.tool).title
