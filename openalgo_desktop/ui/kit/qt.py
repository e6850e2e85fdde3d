"""Guard against PySide6 builds that break the interpreter they are installed on.

Nothing here imports Qt: the pair is judged by version numbers before Qt is loaded.
"""

from __future__ import annotations

import sys
from importlib import metadata

from openalgo_desktop.core.errors import ConfigError

#: First Python in which ``None`` is immortal (PEP 683), so that a lost reference does no harm.
IMMORTAL_NONE = (3, 12)
#: First PySide6 that loses a reference to ``None`` per call that returns nothing.
LOSES_REFERENCES = (6, 12)
#: This one breaks programs that draw much, on every Python (PYSIDE-3115).
BREAKS_DRAWING = (6, 9, 1)


def pair_problem(python: tuple[int, ...], pyside: tuple[int, ...]) -> str:
    """Why this pair cannot be used, as a sentence with the way out; empty when it is good."""
    numbers = ".".join(map(str, pyside))
    if pyside[:2] >= LOSES_REFERENCES and python[:2] < IMMORTAL_NONE:
        return (
            f"PySide6 {numbers} crashes Python {python[0]}.{python[1]}. Install an older one "
            "(pip install 'PySide6-Essentials<6.12') or use Python 3.12 or later."
        )
    if pyside[:3] == BREAKS_DRAWING:
        return f"PySide6 {numbers} breaks the charts. Install another version of PySide6."
    return ""


def check_pair() -> None:
    """Raise :class:`ConfigError` when the installed PySide6 must not be loaded."""
    try:
        text = metadata.version("PySide6-Essentials")
    except metadata.PackageNotFoundError:
        return  # another way of packaging: the import itself will tell
    version = tuple(int(part) for part in text.split(".") if part.isdigit())
    if problem := pair_problem(sys.version_info[:3], version):
        raise ConfigError(problem)
