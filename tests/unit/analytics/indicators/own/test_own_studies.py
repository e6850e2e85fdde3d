"""Studies of the user: declared without being run, computed in real processes of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.analytics.indicators.own.declared import declared
from openalgo_desktop.analytics.indicators.own.folder import OwnFolder
from openalgo_desktop.analytics.indicators.own.process import Worker
from openalgo_desktop.analytics.indicators.running.chart_studies import ChartStudies
from openalgo_desktop.analytics.indicators.running.library import Library
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.charting.studies import Draw, ParamKind, StudyWish
from openalgo_desktop.core.errors import DataError
from tests.unit.analytics.indian.market import around, intraday
from tests.waiting import until

BARS = intraday(3, 2)
GOOD = """
TITLE = "Weighted"
OVER = True
PARAMS = {"length": (3, 1, 50), "source": "hl2", "kind": ["plain", "twice"], "up": True, "x": 1.5}
OUTPUTS = {"line": "line", "turns": "marks"}
LEVELS = [0, 50.5]

import numpy as np

def compute(bars, params):
    print("computed", len(bars))
    x = bars.source(params["source"]) * params["length"]
    return {"line": x, "turns": np.where(np.arange(len(bars)) % 2 == 0, 1.0, np.inf)}
"""


def test_a_file_says_what_it_is_without_being_run() -> None:
    spec = declared("weighted.py", GOOD + "\nraise SystemExit\n")
    assert (spec.study, spec.title, spec.short, spec.over) == (
        *("user:weighted", "Weighted", "Weighted", True),
    )
    assert [(o.name, o.draw) for o in spec.outputs] == [("line", Draw.LINE), ("turns", Draw.MARKS)]
    assert [level.value for level in spec.levels] == [0, 50.5]
    params = {param.name: param for param in spec.params}
    assert (params["length"].low, params["length"].high) == (1, 50)
    assert params["kind"].choices == ("plain", "twice")
    kinds = {name: param.kind for name, param in params.items()}
    assert kinds == {
        "length": ParamKind.INT,
        "source": ParamKind.CHOICE,
        "kind": ParamKind.CHOICE,
        "up": ParamKind.BOOL,
        "x": ParamKind.FLOAT,
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def compute(bars, params:\n    pass", "a.py, line 1: "),
        ("TITLE = 'x'", "no function compute"),
        ("TITLE = str(1)\ndef compute(b, p): ...", "line 1: write TITLE out"),
        ("OUTPUTS = {'a': 'lime'}\ndef compute(b, p): ...", "OUTPUTS: a: 'lime' is none of line"),
        ("OUTPUTS = {}\ndef compute(b, p): ...", "OUTPUTS: give names"),
        ("PARAMS = {'n': None}\ndef compute(b, p): ...", "PARAMS: n: give a number"),
        ("PARAMS = {'n n': 1}\ndef compute(b, p): ...", "'n n' is no name"),
        ("LEVELS = ['a']\ndef compute(b, p): ...", "LEVELS: 'a' is no number"),
        ("LEVELS = 5\ndef compute(b, p): ...", "LEVELS: give a list of numbers"),
        ("LEVELS = [1e999]\ndef compute(b, p): ...", "LEVELS: inf is no number"),
        ("PARAMS = {[]: 1}\ndef compute(b, p): ...", "line 1: write PARAMS out"),
        ("PARAMS = {'n': (5, 'a', 9)}\ndef compute(b, p): ...", "PARAMS: n: 'a' is no number"),
        ("PARAMS = {'n': 1e999}\ndef compute(b, p): ...", "PARAMS: n: inf is no number"),
        ("x = 1" + " + 1" * 50_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_in_a_file_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        declared("a.py", text)
    assert sentence in caught.value.message


def test_what_an_editor_leaves_beside_the_files_takes_none_of_them_away(tmp_path: Path) -> None:
    """A lock of Emacs is a link to nothing that sorts before all studies."""
    (tmp_path / "weighted.py").write_text(GOOD)
    (tmp_path / ".#weighted.py").symlink_to("me@here.123")
    (tmp_path / "again.py").symlink_to(tmp_path / "again.py")
    folder = OwnFolder(tmp_path, (), Loop().spawn)
    assert folder.look() == ["user:weighted"] and not folder.problems


def test_the_example_is_a_study() -> None:
    spec = declared("example.py", resource_text("studies/example.py"))
    assert spec.params and len(spec.outputs) > 1


#: One process for all that is asked of a good and a bad file.
ODD = """
import os, sys, socket, subprocess
PARAMS = {"what": ["env", "cwd", "write", "read", "net", "run", "zero", "short", "none", "leave",
                   "hang", "print", "modules"]}
OUTPUTS = {"value": "line"}

def compute(bars, params):
    what = params["what"]
    if what == "env":
        raise ValueError(sorted(os.environ))
    if what == "cwd":
        raise ValueError(os.listdir("."))
    if what == "write":
        open(os.path.join(os.path.dirname(__file__), "never-written"), "w")
    if what == "read":
        open(os.path.join(os.path.dirname(__file__), "..", "secret.txt"))
    if what == "net":
        socket.create_connection(("127.0.0.1", 9))
    if what == "run":
        subprocess.run(["true"])
    if what == "zero":
        return helper(0)
    if what == "short":
        return bars.close[1:]
    if what == "none":
        return {}
    if what == "leave":
        os._exit(3)
    if what == "hang":
        while True:
            pass
    if what == "modules":
        raise ValueError([name for name in sys.modules if "openalgo" in name])
    sys.stdout.write("{}")
    return bars.close

def helper(x):
    return 1 // x
"""
SAID = {
    "write": "PermissionError: a study may not write files",
    "read": "PermissionError: a study may not read the data folder",
    "net": "PermissionError: a study may not do that (socket.",
    "run": "PermissionError: a study may not do that (subprocess.Popen",
    "short": f"ValueError: compute gave {BARS.size - 1} values for 'value'; there are {BARS.size}",
    "none": "ValueError: compute gave nothing for 'value'",
    "cwd": "ValueError: []",
    "modules": "ValueError: []",
}


async def test_one_process_is_asked_all_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENALGO_SECRET", "12345")
    (tmp_path / "studies").mkdir()
    (tmp_path / "secret.txt").write_text("key")
    file = tmp_path / "studies" / "odd.py"
    file.write_text(ODD)
    worker = Worker(file, (tmp_path,), limit=1.0)

    async def said(what: str) -> str:
        return (await worker.ask(BARS, {"what": what}, ["value"])).error

    try:
        answer = await worker.ask(BARS, {"what": "print"}, ["value"])
        np.testing.assert_array_equal(answer.arrays[0], BARS.close)
        assert (answer.error, answer.printed) == ("", "{}")
        first = worker.pid
        for what, sentence in SAID.items():
            assert sentence in await said(what), what
        lines = (await said("zero")).splitlines()
        assert [line.split(": ")[0] for line in lines[:2]] == [
            "line 22, in compute", "line 38, in helper"
        ]  # fmt: skip
        assert lines[1].endswith("return 1 // x")
        assert lines[2].startswith("ZeroDivisionError: ")
        environment = await said("env")
        assert "SECRET" not in environment and "HOME" not in environment
        assert worker.pid == first
        with pytest.raises(DataError, match="its process ended by itself"):
            await said("leave")
        await said("print")
        with pytest.raises(DataError, match="took longer than 1 s and was stopped"):
            await said("hang")
        again = await worker.ask(BARS, {"what": "print"}, ["value"])
        assert again.error == "" and worker.pid != first
    finally:
        worker.close()
    place = worker._place
    await until(lambda: not place or not os.path.exists(place), "the empty folder is removed")


class Loop:
    """Tasks of this test."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


async def test_a_chart_with_a_study_of_the_user_whose_file_changes(tmp_path: Path) -> None:
    folder_path = tmp_path / "studies"
    folder_path.mkdir()
    (folder_path / "weighted.py").write_text(GOOD)
    (folder_path / "broken.py").write_text("TITLE = ")
    loop = Loop()
    folder = OwnFolder(folder_path, (tmp_path,), loop.spawn)
    assert folder.look() == ["user:broken", "user:weighted"]
    assert folder.look() == []
    assert list(folder.problems) == ["broken.py"]
    library = Library(folder)
    assert library.find("weighted")[0].study == "user:weighted"
    studies = ChartStudies(library, around(), lambda: None, loop.spawn)
    wishes = (
        StudyWish("u", "user:weighted", {"length": 4}),
        StudyWish("a", "sma", {"length": 2, "source": "u.line"}),
        StudyWish("b", "user:broken"),
    )
    try:
        studies.wish(wishes)
        studies.load(BARS.cut(0, 90))
        assert "is not in the folder" in studies.error("b")
        assert np.isnan(studies.values("u")[0]).all() and len(studies.values("u")) == 2
        known: Callable[[], bool] = lambda: bool(np.isfinite(studies.values("u")[0][88]))  # noqa: E731
        await until(known, "the first answer")
        want = (BARS.high + BARS.low) / 2 * 4
        np.testing.assert_allclose(studies.values("u")[0], want[:90])
        assert set(studies.values("u")[1][::2]) == {1.0}
        assert np.isnan(studies.values("u")[1][1::2]).all()  # what is infinite is not known
        assert studies.values("a")[0][-1] == pytest.approx(want[88:90].mean())
        studies.append(BARS.cut(0, 91))
        assert [column.size for column in studies.values("u")] == [91, 91]
        await until(lambda: np.isfinite(studies.values("u")[0][90]), "the answer to a new bar")
        (pid,) = folder.processes
        (folder_path / "weighted.py").write_text(GOOD.replace('* params["length"]', "* undefined"))
        changed = folder.look()
        assert changed == ["user:weighted"]
        studies.renew(changed)
        await until(lambda: studies.error("u"), "the error of the changed file")
        assert studies.error("u").splitlines()[-1] == "NameError: name 'undefined' is not defined"
        assert "has no values" in studies.error("a")
        assert pid not in folder.processes
        (folder_path / "weighted.py").unlink()
        studies.renew(folder.look())
        assert "is not in the folder of your studies" in studies.error("u")
        assert folder.processes == []
    finally:
        studies.close()
        folder.close()
