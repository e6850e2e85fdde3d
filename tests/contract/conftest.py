"""Fixtures of the contract: every case runs for every adapter that has an emulator, and those that
recordings can show for every adapter that has recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.replayed import REPLAY, open_replay, replays_of
from tests.contract.rig import SANDBOX, Rig, open_any, open_rig
from tests.faces.face import face_names

_FIXTURES = ("fresh", "rig", "trader")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The accounts that a case runs for."""
    for name in _FIXTURES:
        if name in metafunc.fixturenames:
            accounts = [*face_names(), *replays_of(metafunc.function.__name__)]
            accounts += [SANDBOX] if name == "trader" else []
            metafunc.parametrize(name, accounts, indirect=True)


@pytest.fixture
async def fresh(request: Any, tmp_path: Path) -> AsyncIterator[Rig]:
    """An account that is not logged in."""
    make = open_replay if request.param.endswith(REPLAY) else open_rig
    async with make(request.param, tmp_path) as rig:
        yield rig


@pytest.fixture
async def rig(request: Any, tmp_path: Path) -> AsyncIterator[Rig]:
    """A logged-in account with its master."""
    make = open_replay if request.param.endswith(REPLAY) else open_rig
    async with make(request.param, tmp_path) as opened:
        await opened.login()
        yield opened


@pytest.fixture
async def trader(request: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """A gateway with its market: a logged-in account, or the sandbox."""
    if request.param.endswith(REPLAY):
        async with open_replay(request.param, tmp_path) as rig:
            await rig.login()
            yield rig
    else:
        async with open_any(request.param, tmp_path) as opened:
            yield opened
