"""The public clients that tests drive: the installed one, and the newest in a side environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests import side_env

#: The newest release; it needs Python 3.12.
NEWEST = "openalgo==2.0.5"
_NEWER_PYTHON = side_env.newer_python((3, 12))


def parameters() -> list[Any]:
    """Parameters ``installed`` and ``newest`` for :func:`python_of`."""
    missing = pytest.mark.skipif(
        _NEWER_PYTHON is None, reason="no Python 3.12 or newer on this machine"
    )
    return [
        pytest.param("installed", id="installed"),
        pytest.param("newest", id="newest", marks=missing),
    ]


def python_of(client: str) -> Path:
    """The interpreter whose environment has that client."""
    if client == "installed":
        return Path(sys.executable)
    assert _NEWER_PYTHON is not None
    return side_env.python_of([NEWEST], _NEWER_PYTHON)
