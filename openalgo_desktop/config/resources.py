"""The only way to read ``resources/``: the packaged copy, else the checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from openalgo_desktop.core.errors import ConfigError


@cache
def resource_root() -> Path:
    """The folder that holds the shipped data."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "_resources", package.parent / "resources"):
        if candidate.is_dir():
            return candidate
    raise ConfigError("The resources folder is missing: reinstall the program.")


def resource_path(name: str) -> Path:
    """Path of a shipped file, for example ``fonts/Inter.ttf``."""
    path = resource_root() / name
    if not path.exists():
        raise ConfigError(f"Resource {name} is missing: reinstall the program.")
    return path


def resource_text(name: str) -> str:
    """Text of a shipped file."""
    return resource_path(name).read_text(encoding="utf-8")
