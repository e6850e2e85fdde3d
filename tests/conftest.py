"""For all tests: no window on anybody's screen, nothing read from the tester's own settings."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Examples may take their time: what is slow once, on a busy machine, is no fault.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# Before anything imports Qt; tests that want a real X server start theirs and say so to a child.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("OPENALGO_VAULT_PASSPHRASE", None)
os.environ["OPENALGO_VAULT"] = "file"  # never the tester's keyring
# Hundreds of programs are started; each would compile the whole package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


#: What stopped engines may hold together before one looks for them, bytes.
GARBAGE = 150 * 2**20
HERE = Path(__file__).resolve().parent
_STATM = Path("/proc/self/statm")


def _resident() -> int:
    """Bytes of memory that this process has; where the system does not tell, always more."""
    if not _STATM.exists():
        return _swept + GARBAGE + 1
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _caches() -> list[Any]:
    """What aiohttp remembers of its last thousand handlers: with each the server that it was of,
    and so whole engines and simulated markets."""
    found = vars(sys.modules.get("aiohttp.web_app", sys)).values()
    return [value for value in found if isinstance(value, _lru_cache_wrapper)]


def _sweep() -> None:
    """Free what nobody can reach. The program takes large tables out of the collector's sight, for
    they live as long as it; a process of hundreds of engines would keep them all."""
    global _swept
    for cache in _caches():
        cache.cache_clear()
    gc.unfreeze()
    gc.collect()
    gc.freeze()  # what pytest holds is walked no more: the passes of the tests are short
    _swept = _resident()


_swept = 0


def pytest_collection_finish() -> None:
    _sweep()


def pytest_runtest_logfinish() -> None:
    if _resident() > _swept + GARBAGE:
        _sweep()


#: Folders of tests that wait most of their time: for programs, sockets and clocks.
WAITING = ("api", "contract", "e2e", "faults")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait and files of the window, which compute, in turn, then the small ones: workers
    that take them in this order keep the processor busy and end together."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    parts: dict[str, list[list[pytest.Item]]] = {}
    for path, tests in files.items():
        folder = path.relative_to(HERE).parts[0]
        parts.setdefault("waiting" if folder in WAITING else folder, []).append(tests)
    turns = zip_longest(parts.pop("waiting", []), parts.pop("ui", []), fillvalue=[])
    rest = [tests for found in parts.values() for tests in found]
    items[:] = [item for tests in (*chain.from_iterable(turns), *rest) for item in tests]


@pytest.fixture(autouse=True)
def environment_stays() -> Iterator[None]:
    """What a test leaves in the environment comes to the programs that later ones start: a scale
    of Qt that stayed made every click of a real mouse miss."""
    before = dict(os.environ)
    yield
    after = dict(os.environ)
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    names.discard("PYTEST_CURRENT_TEST")
    for name in names:
        os.environ.pop(name, None)
        if name in before:
            os.environ[name] = before[name]
    assert names == set(), "the test left these in the environment"


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Programs that a test starts hear Ctrl+C, even when the tests are a shell's background job,
    in which it is ignored and that is inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
