"""Limits that are kept by watching, on made-up readings; and control groups on a made-up folder."""

from __future__ import annotations

import os
from pathlib import Path

from openalgo_desktop.automation.host.keeper import cgroup, files, tree
from openalgo_desktop.automation.host.keeper.lease import Lease
from openalgo_desktop.automation.host.keeper.limits import Watch
from openalgo_desktop.automation.host.keeper.tree import Facts, _below, parse_ps

MB = 2**20


def row(pid: int, *, cpu: float = 0.0, mb: int = 1, parent: int = 1, group: int = 0) -> Facts:
    return Facts(pid, parent, group or pid, group or pid, "S", cpu, mb * MB, 1)


def test_memory_is_that_of_the_whole_tree_and_shared_pages_count_once():
    asked = []

    def proportional(rows: object) -> int:
        asked.append(rows)
        return size * MB

    watch = Watch({"memory_mb": 100}, (), proportional)
    assert watch.look([row(1, mb=50), row(2, mb=50)], 0.0, 0.0) == ("", "")
    assert not asked and watch.memory == 100 * MB
    size = 80
    assert watch.look([row(1, mb=70), row(2, mb=70)], 0.0, 1.0) == ("", "")
    assert watch.memory == 80 * MB
    size = 101
    why, reason = watch.look([row(1, mb=70), row(2, mb=70)], 0.0, 2.0)
    assert (why, reason) == ("memory", "It used 101 MB of memory; its limit is 100 MB.")


def test_processes_are_counted():
    watch = Watch({"processes": 2}, (), lambda _rows: 0)
    assert watch.look([row(1), row(2)], 0.0, 0.0) == ("", "")
    why, reason = watch.look([row(1), row(2), row(3)], 0.0, 0.3)
    assert (why, reason) == ("processes", "It had 3 processes; its limit is 2.")


def test_the_processor_is_an_average_over_the_whole_window():
    watch = Watch({"cpu_percent": 50, "cpu_seconds": 10}, (), lambda _rows: 0)
    used = 0.0
    for second in range(10):  # a burst of 4 seconds at 100 % is no offence
        used += 1.0 if second < 4 else 0.0
        assert watch.look([row(1, cpu=used)], 0.0, float(second)) == ("", "")
    told = []
    for second in range(10, 30):
        used += 1.0
        told.append(watch.look([row(1, cpu=used)], 0.0, float(second))[0])
    assert watch.cpu_percent == 100.0
    first = told.index("cpu")
    assert 4 <= first <= 6, "when it was busy for more than half of ten seconds"


def test_what_ended_children_used_counts():
    watch = Watch({"cpu_percent": 50, "cpu_seconds": 2}, (), lambda _rows: 0)
    watch.look([row(1)], 0.0, 0.0)
    watch.look([row(1)], 1.0, 1.0)
    assert watch.look([row(1)], 2.0, 2.0)[0] == "cpu"


def test_what_the_system_keeps_is_not_watched():
    watch = Watch({"memory_mb": 1, "processes": 1}, {"memory_mb", "processes"}, lambda _rows: 0)
    assert watch.look([row(1, mb=50), row(2)], 0.0, 0.0) == ("", "")
    assert (watch.memory, watch.processes) == (51 * MB, 2), "but told"


def test_a_group_keeps_what_its_controllers_can(tmp_path: Path):
    group = cgroup.make("openalgo-x", str(tmp_path))
    assert group is not None
    folder = Path(group.path)
    names = ("memory.max", "memory.oom.group", "pids.max", "cpu.max", "cgroup.procs")
    for name in names:
        (folder / name).touch()
    (folder / "cgroup.controllers").write_text("cpuset memory pids\n")
    group.limit({"memory_mb": 256, "cpu_percent": 50, "processes": 8, "cpu_seconds": 60})
    assert group.enforced == {"memory_mb", "processes"}
    assert (folder / "memory.max").read_text() == str(256 * MB)
    assert (folder / "memory.oom.group").read_text() == "1"
    assert (folder / "pids.max").read_text() == "8"
    assert (folder / "cpu.max").read_text() == ""
    assert group.join() and (folder / "cgroup.procs").read_text() == "0"
    assert not group.kill(), "this kernel cannot"
    assert not group.out_of_memory()
    (folder / "memory.events").write_text("low 0\noom 3\noom_kill 3\n")
    assert group.out_of_memory()


def test_a_share_of_two_cores(tmp_path: Path):
    group = cgroup.make("openalgo-x", str(tmp_path))
    assert group is not None
    (Path(group.path) / "cpu.max").touch()
    (Path(group.path) / "cgroup.controllers").write_text("cpu")
    group.limit({"cpu_percent": 150})
    assert (Path(group.path) / "cpu.max").read_text() == "150000 100000"
    assert group.enforced == {"cpu_percent"}


def test_no_group_where_this_user_may_make_none(tmp_path: Path):
    assert cgroup.make("openalgo-x", str(tmp_path / "missing")) is None


def test_an_engine_is_gone_when_it_is_and_not_when_the_disk_is(tmp_path: Path):
    folder = str(tmp_path)
    lease = Lease(folder, 100.0)
    assert lease.alone(103.0) == 3.0, "nobody was named yet"
    mine = tree.facts(os.getpid())
    assert mine is not None
    files.write(folder, files.OWNER, {"pid": mine.pid, "started": mine.started})
    assert lease.alone(110.0) == 0.0
    (tmp_path / files.OWNER).unlink()
    assert lease.alone(200.0) == 0.0, "it is still there"
    files.write(folder, files.OWNER, {"pid": mine.pid, "started": mine.started + 1})
    assert lease.alone(207.0) == 7.0, "another process with its number"
    files.write(folder, files.OWNER, {"pid": mine.pid, "started": mine.started})
    assert lease.alone(208.0) == 0.0, "the next engine"


def test_ps_of_macos():
    line = "  501   1   501 Ss    10240   1:02.50 Tue Dec  1 09:15:00 2026"
    found = parse_ps(line)
    assert found is not None
    assert (found.pid, found.parent, found.group, found.state) == (501, 1, 501, "S")
    assert (found.cpu, found.resident) == (62.5, 10 * MB)
    assert found.started > 0
    assert parse_ps("not a line") is None


def test_a_tree_by_parents_and_groups():
    rows = [
        row(10, parent=1),
        row(11, parent=10),
        row(12, parent=11, group=11),
        row(13, parent=1, group=11),  # lost its parent, still of the group
        row(14, parent=1),
    ]
    assert {one.pid for one in _below(10, rows)} == {11, 12, 13}
