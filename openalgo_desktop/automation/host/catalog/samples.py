"""Programs that come with us, to read and to start from."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec

from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean

FOLDER = "strategies"


class Sample(msgspec.Struct, frozen=True):
    """One of them; ``what`` is the first paragraph of its docstring."""

    name: str
    what: str


def samples() -> list[Sample]:
    """All, by name. Blocks."""
    found = []
    for path in sorted(resource_path(FOLDER).iterdir()):
        entry = path / "main.py" if path.is_dir() else path
        if entry.suffix == ".py" and entry.is_file():
            said = ast.get_docstring(ast.parse(entry.read_text(encoding="utf-8"))) or ""
            found.append(Sample(path.stem, " ".join(said.partition("\n\n")[0].split())))
    return found


def path_of(name: str) -> Path:
    """Where a sample is. Raises :class:`ConfigError`."""
    for path in sorted(resource_path(FOLDER).iterdir()):
        if path.stem == name:
            return path
    names = [row.name for row in samples()]
    near = did_you_mean(name, names)
    raise ConfigError(f"path: there is no sample {name!r}; there are {', '.join(names)}.{near}")
