"""Fixtures of the contract: every case runs for every adapter that has an emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.rig import SANDBOX, Rig, open_any, open_rig
from tests.faces.face import face_names


@pytest.fixture(params=face_names())
async def fresh(request: Any, tmp_path: Path) -> AsyncIterator[Rig]:
    """An account that is not logged in."""
    async with open_rig(request.param, tmp_path) as rig:
        yield rig


@pytest.fixture(params=face_names())
async def rig(request: Any, tmp_path: Path) -> AsyncIterator[Rig]:
    """A logged-in account with its master."""
    async with open_rig(request.param, tmp_path) as opened:
        await opened.login()
        yield opened


@pytest.fixture(params=[*face_names(), SANDBOX])
async def trader(request: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """A gateway with its market: a logged-in account, or the sandbox."""
    async with open_any(request.param, tmp_path) as opened:
        yield opened
