"""Files of bars survive a kill; a damaged one costs itself and nothing else."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.research.bars.cover import missing, united
from openalgo_desktop.research.bars.files import BarFiles, SeriesName, block
from openalgo_desktop.research.bars.store import BarStore
from openalgo_desktop.research.bars.tables import columns
from tests.unit.research.bars.world import bars_of

NAME = SeriesName("zerodha", "NFO", "M&M 26/NOV FUT", "1m")


def written(folder: Path, *ranges: tuple[int, int]) -> Path:
    files = BarFiles(folder)
    for start, end in ranges:
        files.append(NAME, block(bars_of(range(start, end, 60)), start, end))
    return folder / NAME.path


def times(folder: Path) -> list[int]:
    return BarFiles(folder).read(NAME).bars.time.tolist()


def test_blocks_in_any_order_read_as_one_table(tmp_path: Path) -> None:
    path = written(tmp_path, (6000, 12_000), (0, 6000), (11_940, 15_000))
    found = BarFiles(tmp_path).read(NAME)
    expected = bars_of(range(0, 15_000, 60))
    for one, two in zip(columns(found.bars), columns(expected), strict=True):
        assert np.array_equal(one, two)
    assert found.known == ((0, 15_000),)
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "/" not in path.name and "&" not in path.name and " " not in path.name


def test_later_blocks_take_away_what_is_no_more(tmp_path: Path) -> None:
    written(tmp_path, (0, 6000))
    BarFiles(tmp_path).append(NAME, block(bars_of([600]), 600, 1200))
    assert [time for time in times(tmp_path) if 600 <= time < 1200] == [600]


@pytest.mark.parametrize("cut", [1, 31, 32, 33, 500, 1000])
def test_a_torn_end_is_cut_off(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, (0, 6000), (6000, 7200))
    size = path.stat().st_size
    os.truncate(path, size - cut)
    assert times(tmp_path) == list(range(0, 6000, 60))
    written(tmp_path, (6000, 7200))
    assert times(tmp_path) == list(range(0, 7200, 60)) and path.stat().st_size == size


def test_blank_space_that_a_crash_left_is_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path, (0, 6000))
    with path.open("ab") as file:
        file.write(bytes(4000))
    assert times(tmp_path) == list(range(0, 6000, 60))


def test_a_damaged_file_goes_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, (0, 6000), (6000, 7200))
    raw = bytearray(path.read_bytes())
    raw[200] ^= 1
    path.write_bytes(raw)
    with caplog.at_level(logging.WARNING):
        assert times(tmp_path) == []
    assert "damaged" in caplog.text and not path.exists()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_damage_gives_a_wrong_bar(tmp_path_factory: pytest.TempPathFactory, data) -> None:
    folder = tmp_path_factory.mktemp("bars")
    path = written(folder, (0, 1200), (1200, 1800), (3000, 3600))
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    found = BarFiles(folder).read(NAME)
    true = bars_of(found.bars.time.tolist())
    for one, two in zip(columns(found.bars), columns(true), strict=True):
        assert np.array_equal(one, two)
    assert set(found.known) <= {(0, 1200), (0, 1800)}


_KILLED = """
import sys
from pathlib import Path
from openalgo_desktop.research.bars.files import BarFiles, block
from tests.unit.research.bars.test_files import NAME
from tests.unit.research.bars.world import bars_of
files, at = BarFiles(Path(sys.argv[1])), 0
while True:
    files.append(NAME, block(bars_of(range(at, at + 60_000, 60)), at, at + 60_000))
    at += 60_000
    print(at, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_kill_9_in_the_middle_of_writing_gives_no_wrong_bar(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(20):
        told = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = BarFiles(tmp_path).read(NAME)
    ((start, end),) = found.known
    assert start == 0 and end >= told
    true = bars_of(range(0, end, 60))
    for one, two in zip(columns(found.bars), columns(true), strict=True):
        assert np.array_equal(one, two)


def test_many_blocks_become_few(tmp_path: Path) -> None:
    path = written(tmp_path, *((start, start + 60) for start in range(0, 6000, 60)))
    before = path.stat().st_size
    assert times(tmp_path) == list(range(0, 6000, 60))
    assert path.stat().st_size == before - 99 * 32
    assert times(tmp_path) == list(range(0, 6000, 60))


def test_files_not_used_for_long_go_first(tmp_path: Path) -> None:
    files = BarFiles(tmp_path)
    names = [NAME._replace(symbol=f"S{number}") for number in range(10)]
    for number, name in enumerate(names):
        files.append(name, block(bars_of(range(0, 6000, 60)), 0, 6000))
        os.utime(tmp_path / name.path, (number, number))
    files.read(names[0])
    one = (tmp_path / names[0].path).stat().st_size
    files.shrink(5 * one)
    left = {path.name for path in tmp_path.rglob("*.bars")}
    assert len(left) == 4 and names[0].path.name in left and names[9].path.name in left


async def test_a_day_that_goes_on_is_written_once(tmp_path: Path) -> None:
    store = BarStore(tmp_path, lambda: 10)
    for end in (600, 1200, 1800):
        await store.append(NAME, bars_of(range(0, end, 60)), 0, end)
    await store.append(NAME, bars_of(range(0, 1800, 60), 2.0), 0, 1800)  # it was corrected
    await store.close()
    assert (tmp_path / NAME.path).stat().st_size == 4 * 32 + 60 * 56
    found = BarFiles(tmp_path).read(NAME)
    assert np.array_equal(found.bars.close, bars_of(range(0, 1800, 60), 2.0).close)


async def test_a_full_disk_leaves_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = BarStore(tmp_path, lambda: 10)
    full = True

    def write(descriptor: int, raw: memoryview) -> int:
        if full:
            real(descriptor, raw[:100])
            raise OSError(28, "No space left on device")
        return real(descriptor, raw)

    real = os.write
    monkeypatch.setattr("openalgo_desktop.research.bars.files.os.write", write)
    with caplog.at_level(logging.WARNING):
        await store.append(NAME, bars_of(range(0, 600, 60)), 0, 600)
        await store.append(NAME, bars_of(range(600, 1200, 60)), 600, 1200)
        await store.flush()
    assert len(await store.get(NAME, 0, 1200)) == 20 and await store.gaps(NAME, 0, 1300) == [
        (1200, 1300)
    ]
    assert caplog.text.count("memory only") == 1
    full = False
    await store.append(NAME, bars_of(range(1200, 1800, 60)), 1200, 1800)
    await store.close()
    again = BarStore(tmp_path, lambda: 10)
    assert await again.gaps(NAME, 0, 1800) == [(0, 1200)]
    await again.close()


async def test_memory_is_bounded_and_the_disk_gives_it_back(tmp_path: Path) -> None:
    store = BarStore(tmp_path, lambda: 10, memory=3000 * 56)
    names = [NAME._replace(symbol=f"S{number}") for number in range(6)]
    for name in names:
        await store.append(name, bars_of(range(0, 60_000, 60)), 0, 60_000)
    assert store.memory <= 3000 * 56 and len(tuple(store.names())) == 3
    assert len(await store.get(names[0], 0, 60_000)) == 1000
    assert store.memory <= 3000 * 56
    await store.close()


async def test_nothing_on_disk_when_it_may_have_nothing(tmp_path: Path) -> None:
    store = BarStore(tmp_path / "bars", lambda: 0)
    await store.append(NAME, bars_of(range(0, 600, 60)), 0, 600)
    await store.close()
    assert not (tmp_path / "bars").exists()


async def test_what_is_handed_out_cannot_be_changed(tmp_path: Path) -> None:
    store = BarStore(tmp_path, lambda: 10)
    await store.append(NAME, bars_of(range(0, 600, 60)), 0, 600)
    bars = await store.get(NAME, 60, 600)
    with pytest.raises(ValueError, match="read-only"):
        bars.close[0] = 1.0
    await store.close()


ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12)


@given(ranges, st.integers(0, 60), st.integers(0, 40))
def test_known_and_missing_times_add_up(
    found: list[tuple[int, int]], start: int, length: int
) -> None:
    parts = [(first, first + size) for first, size in found]
    known = united(parts)
    assert {t for a, b in known for t in range(a, b)} == {t for a, b in parts for t in range(a, b)}
    assert all(a < b for a, b in known) and all(one[1] < two[0] for one, two in pairwise(known))
    gaps = missing(known, start, start + length)
    seconds = {t for a, b in gaps for t in range(a, b)}
    assert seconds == {
        t for t in range(start, start + length) if not any(a <= t < b for a, b in known)
    }
