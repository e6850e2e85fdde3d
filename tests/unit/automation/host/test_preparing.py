"""What is checked before a program runs: its script, its packages, its Python."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openalgo_desktop.automation.host import tools
from openalgo_desktop.automation.host.keeper import tree
from openalgo_desktop.automation.host.ports import Limits, Program
from openalgo_desktop.automation.host.preparing import Preparer
from openalgo_desktop.automation.host.venvs import Venvs, Wanted, python_of
from openalgo_desktop.core.errors import ConfigError
from tests.hosting import GRANT, Hosting, hosting
from tests.waiting import until

HERE = Path(sys.executable)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Hosting]:
    async with hosting(tmp_path) as made:
        yield made


def quiet(_line: str) -> None: ...


async def refused(host: Hosting, program: Program) -> str:
    with pytest.raises(ConfigError) as caught:
        await host.processes.prepare(program, quiet)
    return caught.value.message


async def test_what_does_not_compile_is_named_with_its_line(host: Hosting):
    said = await refused(host, host.program("import os\nif True\n    pass\n"))
    assert said.startswith("main.py line 2 does not compile with Python 3.")
    assert "expected ':'" in said and "start again" in said


async def test_a_nul_byte_or_a_wrong_encoding_is_named(host: Hosting):
    program = host.program("")
    (program.folder / "main.py").write_bytes(b"x = 1\0\n")
    assert "null bytes" in await refused(host, program)
    (program.folder / "main.py").write_bytes(b"x = 1\n# \xff\xfe\n")
    assert "main.py line 2 does not compile" in await refused(host, program)


async def test_nothing_of_a_script_is_executed(host: Hosting):
    program = host.program("open('ran', 'w')\n")
    ready = await host.processes.prepare(program, quiet)
    assert not (program.folder / "ran").exists()
    assert ready.command == (str(HERE),) and ready.venv is None
    assert ready.python == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("gone.py", "The entry gone.py is missing in "),
        ("../outside.py", "The entry ../outside.py is outside "),
        ("notes.txt", "The entry notes.txt is no Python file: it has to end in .py."),
    ],
)
async def test_an_entry_that_cannot_be_run_is_named(host: Hosting, entry: str, said: str):
    program = host.program("", entry=Path(entry))
    (program.folder / "notes.txt").touch()
    (program.folder.parent / "outside.py").touch()
    assert said in await refused(host, program)


async def test_a_folder_that_is_gone_is_named(host: Hosting, tmp_path: Path):
    said = await refused(host, host.program("", folder=tmp_path / "gone"))
    assert "is not there: add the strategy again" in said


async def test_an_interpreter_that_is_none_is_named(host: Hosting, tmp_path: Path):
    said = await refused(host, host.program("", interpreter=tmp_path / "python9"))
    assert "python9 of strategy One is not there: choose another" in said
    script = tmp_path / "python1"
    script.write_text("#!/bin/sh\necho no\n")
    script.chmod(0o700)
    assert "Is it a Python of version 3?" in await refused(
        host, host.program("", interpreter=script)
    )


async def test_an_interpreter_for_all_stands_behind_those_of_programs(tmp_path: Path):
    for_all, own = tmp_path / "for-all", tmp_path / "own"
    for path in (for_all, own):
        path.write_text(f'#!/bin/sh\nexec {HERE} "$@"\n')
        path.chmod(0o700)
    async with hosting(tmp_path, interpreter=lambda: str(for_all)) as host:
        ready = await host.processes.prepare(host.program("pass"), quiet)
        assert ready.command == (str(for_all),)
        ready = await host.processes.prepare(host.program("pass", interpreter=own), quiet)
        assert ready.command == (str(own),)
        for_all.unlink()
        said = await refused(host, host.program("pass"))
        assert "of setting hosting.interpreter is not there" in said


async def test_an_import_that_will_fail_is_told(host: Hosting):
    program = host.program("import json, numpy\nimport helper\n\nimport nonesuch.part\n")
    (program.folder / "helper.py").touch()
    ready = await host.processes.prepare(program, quiet)
    (note,) = ready.notes
    assert note.startswith("main.py line 4 imports nonesuch, which is not installed")


class FakeVenvs(Venvs):
    """Gives the interpreter that runs the tests, and remembers what it was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[tuple[str, str]] = []

    async def get(self, wanted: Wanted, base: Path, progress: object) -> Path:
        self.asked.append((wanted.text, wanted.source))
        return HERE.parents[1]


@pytest.mark.parametrize(
    ("script", "asked"),
    [("import openalgo\n", [("openalgo\n", "the openalgo client")]), ("import json\n", [])],
)
async def test_a_script_without_requirements_gets_the_client_where_it_is_missing(
    host: Hosting, tmp_path: Path, script: str, asked: list[tuple[str, str]]
):
    # An interpreter without any packages.
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {HERE} -I -S "$@"\n')
    bare.chmod(0o700)
    venvs = FakeVenvs(tmp_path)
    program = host.program(script, interpreter=bare)
    ready = await Preparer(venvs).prepare(program, quiet)
    assert venvs.asked == asked
    assert ready.venv == (HERE.parents[1] if asked else None)


async def test_requirements_are_read_and_shared(host: Hosting, tmp_path: Path):
    program = host.program("import json\n", requirements=tmp_path / "requirements.txt")
    assert program.requirements is not None
    assert "requirements.txt cannot be read" in await refused(host, program)
    program.requirements.write_bytes(b"\xef\xbb\xbfnumpy\n")
    venvs = FakeVenvs(tmp_path)
    await Preparer(venvs).prepare(program, quiet)
    assert venvs.asked == [("numpy\n", "requirements.txt")]


# -- environments ---------------------------------------------------------------------------
def wheel(folder: Path) -> None:
    """A package ``mypivots`` of one module."""
    info = "mypivots-1.0.dist-info"
    with zipfile.ZipFile(folder / "mypivots-1.0-py3-none-any.whl", "w") as file:
        file.writestr("mypivots.py", "LEVEL = 42\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mypivots\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


async def test_an_environment_is_made_whole_or_not_at_all_and_reused(
    host: Hosting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("mypivots\n")
    program = host.program(
        "import mypivots, sys\nprint(mypivots.LEVEL, sys.prefix)\n", requirements=requirements
    )
    lines: list[str] = []
    with pytest.raises(ConfigError) as caught:
        await host.processes.prepare(program, lines.append)
    said = caught.value.message
    assert said.startswith("pip could not install requirements.txt (exit code 1): ERROR:")
    assert "No matching distribution found for mypivots" in said
    assert "Correct that line of requirements.txt" in said
    assert any("mypivots" in line for line in lines), "pip's own lines are shown"
    assert list(host.processes.places.venvs.iterdir()) == [], "nothing half"

    wheel(tmp_path)
    (host.processes.places.venvs / ".building-x").mkdir()  # of an engine that was killed
    assert await host.processes.left() == []
    ready = await host.processes.prepare(program, quiet)
    (venv,) = host.processes.places.venvs.iterdir()
    assert ready.venv == venv and ready.command == (str(python_of(venv)),)
    lines.clear()
    assert await host.processes.prepare(program, lines.append) == ready
    assert lines == [], "made once"

    run = await host.processes.start(program, ready, GRANT, Limits(), "run-1")
    assert (await run.ended).last_lines == (f"42 {venv}",)
    assert await host.processes.tidy(0) == 1
    assert list(host.processes.places.venvs.iterdir()) == []


def test_another_content_or_interpreter_is_another_environment(tmp_path: Path):
    other = tmp_path / "python"
    other.touch()
    a, b = Wanted("a\n", "x"), Wanted("b\n", "x")
    keys = {Venvs.key(a, HERE), Venvs.key(b, HERE), Venvs.key(a, other)}
    assert len(keys) == 3
    assert Venvs.key(Wanted("a\n", "of another name"), HERE) in keys


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("numpy>=1.26\n# -e .\n", True),
        ("pandas ; python_version > '3'\n", True),
        ("-e .\n", False),
        ("./mylib\n", False),
        ("mylib @ file:///home/me/mylib\n", False),
        ("-r more.txt\n", False),
        ("--constraint=more.txt\nnumpy\n", False),
    ],
)
def test_what_lies_beside_a_file_is_not_shared(tmp_path: Path, text: str, shared: bool):
    keys = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "requirements.txt").write_text(text)
        (folder / "more.txt").write_text("scipy\n")
        keys.add(Venvs.key(Wanted.of(folder / "requirements.txt"), HERE))
    assert (len(keys) == 1) is shared
    if "more" in text:
        (folder / "more.txt").write_text("scipy==1\n")
        assert Venvs.key(Wanted.of(folder / "requirements.txt"), HERE) not in keys


async def test_a_tool_that_takes_too_long_is_ended(tmp_path: Path):
    mark = tmp_path / "pid"
    script = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    with pytest.raises(TimeoutError):
        await tools.run([sys.executable, "-c", script], timeout=1.0)
    await until(lambda: not mark.exists() or tree.facts(int(mark.read_text())) is None)


# -- inside a packaged program ----------------------------------------------------------------
async def test_a_packaged_program_runs_scripts_inside_itself(
    host: Hosting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packaged = tmp_path / "openalgo-desktop"
    packaged.write_text(
        f"#!{HERE}\nimport sys\nfrom openalgo_desktop.shell.entrance import main\n"
        "sys.exit(main())\n"
    )
    packaged.chmod(0o700)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(packaged))
    script = """
        import sys
        import helper
        print(__name__, len(sys.argv), helper.here, "openalgo_desktop.shell.main" in sys.modules)
        raise SystemExit(5)
    """
    program = host.program(script)
    (program.folder / "helper.py").write_text("here = 'beside'\n")
    preparer = Preparer(Venvs(tmp_path / "venvs"))
    ready = await preparer.prepare(program, quiet)
    assert ready.command == (str(packaged), "run-strategy") and ready.notes == ()
    run = await host.processes.start(program, ready, GRANT, Limits(), "run-1")
    ended = await run.ended
    assert ended.last_lines == ("__main__ 1 beside False",)
    assert ended.code == 5

    requirements = tmp_path / "requirements.txt"
    requirements.write_text("numpy\n")
    with pytest.raises(ConfigError, match="choose an interpreter"):
        await preparer.prepare(host.program(script, requirements=requirements), quiet)
    with pytest.raises(ConfigError, match=r"main.py line 1 does not compile"):
        await preparer.prepare(host.program("if:"), quiet)
