"""run.py: what it decides, and that it is a thin shell around the program.

The outside tests copy it beside an environment whose interpreter is a recording script, so that
they neither install nor start anything.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
#: Stands for the interpreter of .venv: healthy when probed, else says what it was called with.
RECORDER = """#!/bin/sh
if [ "$1" = "-I" ]; then exit 0; fi
echo "pid $$"
for word in "$@"; do echo "$word"; done
exit 7
"""
posix = pytest.mark.skipif(os.name == "nt", reason="the recording interpreter is a shell script")


@pytest.fixture
def run(tmp_path: Path) -> ModuleType:
    """run.py as a module of its own whose checkout is a temporary folder."""
    spec = importlib.util.spec_from_file_location("run_under_test", ROOT / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text(f"{name} of the test\n")
    module.ROOT = tmp_path
    module.VENV = tmp_path / ".venv"
    module.STAMP = module.VENV / "openalgo-desktop.stamp"
    module.VENV.mkdir()
    return module


@pytest.fixture
def calls(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that run.py would run; each succeeds and does nothing."""
    seen: list[list[str]] = []

    def fake(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(run.subprocess, "run", fake)
    return seen


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((ROOT / "run.py").read_text())
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    assert names <= set(sys.stdlib_module_names)


# -- display --------------------------------------------------------------------------------
@pytest.fixture
def linux(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(run.sys, "platform", "linux")
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    return run


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["headless"]),
        (["gui"], ["headless"]),
        (["gui", "--rest-port", "0"], ["headless", "--rest-port", "0"]),
        (["--mode", "live"], ["headless", "--mode", "live"]),
    ],
)
def test_without_a_display_the_window_becomes_headless(
    linux: ModuleType,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    expected: list[str],
) -> None:
    assert linux.program_arguments(given) == expected
    assert "no display" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [["headless"], ["doctor"], ["api-key"], ["--version"], ["screenshot", "--out", "x"]]
)
def test_commands_without_a_window_are_left_alone(linux: ModuleType, given: list[str]) -> None:
    assert linux.program_arguments(given) == given


@pytest.mark.parametrize("variable", DISPLAYS)
def test_with_a_display_the_libraries_of_qt_are_looked_for(
    linux: ModuleType, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(linux, "ensure_qt_libraries", lambda: looked.append(True))
    monkeypatch.setenv(variable, "x")
    assert linux.program_arguments(["gui"]) == ["gui"]
    assert looked == [True]


# -- system packages ------------------------------------------------------------------------
def test_missing_libraries_are_named_with_the_command(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "missing_libraries", lambda: ["libEGL.so.1", "libxcb-cursor.so.0"])
    monkeypatch.setattr(run, "can_install", lambda: False)
    monkeypatch.setattr(run.shutil, "which", lambda name: name if name == "apt-get" else None)
    with pytest.raises(run.SetupError) as error:
        run.ensure_qt_libraries()
    assert "libxcb-cursor.so.0" in str(error.value)
    assert "sudo apt-get install libegl1 libxcb-cursor0" in str(error.value)


def test_root_on_debian_installs_them(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, calls: list[list[str]]
) -> None:
    answers = [["libEGL.so.1"], []]
    monkeypatch.setattr(run, "missing_libraries", lambda: answers.pop(0))
    monkeypatch.setattr(run, "can_install", lambda: True)
    run.ensure_qt_libraries()
    assert calls[0] == ["apt-get", "update"]
    assert calls[1][:2] == ["apt-get", "install"]
    assert calls[1][-1] == "libegl1"


@pytest.mark.parametrize(
    ("manager", "hint"),
    [
        ("dnf", "sudo dnf install 'libEGL.so.1()(64bit)'"),
        ("zypper", "sudo zypper install 'libEGL.so.1()(64bit)'"),
        ("pacman", "Debian calls them libegl1"),
    ],
)
def test_other_systems_get_their_own_hint(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, manager: str, hint: str
) -> None:
    monkeypatch.setattr(run.shutil, "which", lambda name: name if name == manager else None)
    assert hint in run.install_hint(["libEGL.so.1"], ["libegl1"])


def test_absent_test_programs_are_named_but_do_not_stop(
    linux: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(linux.shutil, "which", lambda name: None)
    monkeypatch.setattr(linux, "can_install", lambda: False)
    linux.ensure_test_programs()
    text = capsys.readouterr().err
    for name in ("xvfb", "xdotool", "dbus", "gnome-keyring"):
        assert name in text


# -- environment ----------------------------------------------------------------------------
def _touch(name: str) -> Callable[[ModuleType], None]:
    return lambda run: (run.ROOT / name).write_text("changed")  # type: ignore[no-any-return]


def _move(run: ModuleType) -> None:
    run.ROOT = run.ROOT.rename(run.ROOT.with_name("moved"))


@pytest.mark.parametrize("change", [_touch("pyproject.toml"), _touch("constraints.txt"), _move])
def test_fingerprint_follows_the_requirements_and_the_place(
    run: ModuleType, change: Callable[[ModuleType], None]
) -> None:
    before = run.fingerprint()
    assert run.fingerprint() == before
    change(run)
    assert run.fingerprint() != before


def test_fingerprint_ignores_other_files(run: ModuleType) -> None:
    before = run.fingerprint()
    (run.ROOT / "README.md").write_text("news")
    assert run.fingerprint() == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc app\n", ("abc", False)),
        ("abc app test\n", ("abc", True)),
        ("", ("", False)),
        (b"\xff\xfe", ("", False)),
    ],
)
def test_stamp(run: ModuleType, text: str | bytes, expected: tuple[str, bool]) -> None:
    run.STAMP.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert run.read_stamp() == expected
    run.STAMP.unlink()
    assert run.read_stamp() == ("", False)


def _install(calls: list[list[str]]) -> list[str]:
    (found,) = [command for command in calls if "pip" in command and "install" in command]
    return found


def test_nothing_is_installed_while_nothing_changed(
    run: ModuleType, calls: list[list[str]]
) -> None:
    run.STAMP.write_text(f"{run.fingerprint()} app test\n")
    run.ensure_environment(tests=True)
    run.ensure_environment(tests=False)
    assert not [command for command in calls if "install" in command]


def test_a_change_installs_by_the_constraints_and_keeps_the_test_tools(
    run: ModuleType, calls: list[list[str]]
) -> None:
    run.STAMP.write_text("older app test\n")
    run.ensure_environment(tests=False)
    command = _install(calls)
    assert command[command.index("-c") + 1] == "constraints.txt"
    assert command[-1] == ".[test]"
    assert run.read_stamp() == (run.fingerprint(), True)


def test_the_program_alone_needs_no_test_tools(run: ModuleType, calls: list[list[str]]) -> None:
    run.ensure_environment(tests=False)
    assert _install(calls)[-1] == "."
    assert run.read_stamp() == (run.fingerprint(), False)


def test_tests_after_the_program_bring_the_tools(run: ModuleType, calls: list[list[str]]) -> None:
    run.STAMP.write_text(f"{run.fingerprint()} app\n")
    run.ensure_environment(tests=True)
    assert _install(calls)[-1] == ".[test]"


def test_a_failed_installation_leaves_no_stamp(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.STAMP.write_text("older app\n")
    monkeypatch.setattr(run, "answers", lambda code: True)
    monkeypatch.setattr(
        run.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1)
    )
    with pytest.raises(run.SetupError, match="installation failed"):
        run.ensure_environment(tests=False)
    assert not run.STAMP.exists()


def test_a_broken_environment_is_made_anew(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, calls: list[list[str]]
) -> None:
    run.STAMP.write_text(f"{run.fingerprint()} app\n")
    made: list[bool] = []
    monkeypatch.setattr(run, "answers", lambda code: False)
    monkeypatch.setattr(run, "create_venv", lambda: made.append(True))
    run.ensure_environment(tests=False)
    assert made == [True]
    assert _install(calls)


def test_python_without_ensurepip_names_the_package(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(run, "can_install", lambda: False)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    with pytest.raises(run.SetupError, match=version):
        run.ensure_venv_module()


# -- checks ---------------------------------------------------------------------------------
def test_all_checks_run_even_when_one_fails(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []

    def fake(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        text = " ".join(command)
        seen.append(text)
        return subprocess.CompletedProcess(command, 1 if "mypy" in text else 0)

    monkeypatch.setattr(run.subprocess, "run", fake)
    assert run.run_checks([]) == 1
    for word in ("ruff check", "ruff format --check", "mypy", "importlinter", "pytest"):
        assert any(word in text for text in seen), word
    assert "-m not long" in seen[-1]
    assert "failed: mypy" in capsys.readouterr().out


def test_long_runs_everything(run: ModuleType, calls: list[list[str]]) -> None:
    assert run.run_checks(["--long"]) == 0
    assert len(calls) == 5
    assert "not long" not in calls[-1]


def test_arguments_mean_only_pytest(run: ModuleType, calls: list[list[str]]) -> None:
    assert run.run_checks(["-k", "sandbox and vector"]) == 0
    assert calls == [
        [str(run.VENV_PYTHON), "-m", "pytest", "-m", "not long", "-k", "sandbox and vector"]
    ]
    calls.clear()
    run.run_checks(["-m", "long"])
    assert "not long" not in calls[0]


# -- main -----------------------------------------------------------------------------------
def test_old_pythons_are_told_so(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run.sys, "version_info", (3, 10, 4))
    assert run.main([]) == 1
    assert "3.10.4 is too old" in capsys.readouterr().err


def test_a_setup_error_is_a_sentence_and_exit_code_1(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: Any) -> None:
        raise run.SetupError("no such thing here")

    monkeypatch.setattr(run, "ensure_environment", fail)
    assert run.main(["doctor"]) == 1
    assert "run.py: no such thing here" in capsys.readouterr().err


def test_the_word_test_goes_to_the_checks(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[bool] = []
    for name in ("ensure_qt_libraries", "ensure_test_programs"):
        monkeypatch.setattr(run, name, lambda: None)
    monkeypatch.setattr(run, "ensure_environment", lambda *, tests: wanted.append(tests))
    monkeypatch.setattr(run, "run_checks", lambda arguments: ("checks", arguments))
    monkeypatch.setattr(run, "run_program", lambda arguments: ("program", arguments))
    assert run.main(["test", "-k", "x"]) == ("checks", ["-k", "x"])
    assert run.main(["doctor", "test"]) == ("program", ["doctor", "test"])
    assert wanted == [True, False]


# -- from outside ---------------------------------------------------------------------------
@pytest.fixture
def checkout(run: ModuleType) -> Path:
    """A checkout with an up-to-date environment whose interpreter only records."""
    root: Path = run.ROOT
    (root / "run.py").write_bytes((ROOT / "run.py").read_bytes())
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text(RECORDER)
    python.chmod(0o755)
    run.STAMP.write_text(f"{run.fingerprint()} app test\n")
    return root


def _start(checkout: Path, *arguments: str, **extra: str) -> tuple[int, int, list[str], str]:
    env = {name: value for name, value in os.environ.items() if name not in DISPLAYS}
    program = subprocess.Popen(
        [sys.executable, "run.py", *arguments],
        cwd=checkout,
        env={**env, **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = program.communicate(timeout=60)
    return program.pid, program.returncode, out.splitlines(), err


@posix
def test_the_program_takes_the_place_of_run_py(checkout: Path) -> None:
    pid, code, out, err = _start(checkout, "doctor", "--data-dir", "a b", PYTHONHOME="")
    assert code == 7, err
    assert out[0] == f"pid {pid}", "a child of its own would not get the signals"
    assert out[1:] == ["-P", "-m", "openalgo_desktop", "doctor", "--data-dir", "a b"]


@posix
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays by variable")
def test_plain_start_without_a_display(checkout: Path) -> None:
    _, code, out, err = _start(checkout)
    assert code == 7
    assert out[-1] == "headless"
    assert "no display here" in err


@posix
def test_exit_code_of_pytest_is_passed_on(checkout: Path) -> None:
    # Nothing to find: on a bare machine this must not install Debian packages.
    _, code, out, _ = _start(checkout, "test", "-k", "nothing", PATH="")
    assert code == 7
    assert out[1:] == ["-m", "pytest", "-m", "not long", "-k", "nothing"]
