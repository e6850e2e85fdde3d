"""run.py: what it decides, and that it is a thin shell around the program.

The outside tests copy it beside an environment whose interpreter is a recording script, so that
they neither install nor start anything.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import signal
import subprocess
import sys
import threading
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
    _pip(run, monkeypatch, "", 0, seen)
    return seen


def _pip(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, says: str, code: int, seen: list[list[str]]
) -> None:
    """pip says this and ends so; what it was called with goes to ``seen``."""

    class Popen:
        returncode = code
        stderr = None

        def __init__(self, command: list[str], **_: Any) -> None:
            seen.append(command)
            self.stdout = iter(says.splitlines(keepends=True))

        def __enter__(self) -> Popen:
            return self

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr(run.subprocess, "Popen", Popen)


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
    _pip(run, monkeypatch, "ERROR: it is Tuesday\n", 1, [])
    with pytest.raises(run.SetupError, match="installation failed; the lines above"):
        run.ensure_environment(tests=False)
    assert not run.STAMP.exists()


def test_the_installation_shows_sizes_and_steps(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = ("Downloading big-1.0.whl (80.3 MB)", "Installing collected packages: big", "ERROR: no")
    hidden = ("Collecting big", "  WARNING: Retrying (Retry(total=4))", "Traceback (most recent")
    _pip(run, monkeypatch, "\n  ".join((*hidden, *shown)), 0, [])
    run.install(tests=False)
    text = capsys.readouterr().err
    assert "up to 120 MB are downloaded, 440 MB are needed on disk" in text
    assert all(line in text for line in shown) and not any(line.strip() in text for line in hidden)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("ProxyError('Cannot connect to proxy.', NewConnectionError('x'))", "the proxy (HTTPS_P"),
        ("HTTPSConnection(host='proxy.example', port=3128): Failed to estab", "the proxy (HTTPS_P"),
        ("HTTPSConnection(host='pypi.org', port=443): NewConnectionError", "machine is offline"),
        ("OSError('Tunnel connection failed: 407 Proxy Authentication Required')", "user and pass"),
        ("ERROR: Missing dependencies for SOCKS support.", "cannot use a SOCKS proxy"),
        ("NewConnectionError: Temporary failure in name resolution", "this machine is offline"),
        ("ConnectTimeoutError(connect timeout=15)", "this machine is offline"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "PIP_CERT"),
        ("ERROR: No matching distribution found for x", "Is this machine online"),
        ("OSError: [Errno 28] No space left on device", "about 440 MB are needed"),
    ],
)
def test_a_failed_download_names_its_cause(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, told: str, said: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    text = run.failure(f"Collecting x\n{told}\n", 440)
    assert said in text and "secret" not in text


def test_the_proxies_are_shown_without_passwords(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert run.proxies() == "none is set"
    monkeypatch.setenv("HTTPS_PROXY", "http://me:se,cr@p.example:1")
    monkeypatch.setenv("all_proxy", "me:word@q.example:2")
    assert run.proxies() == "HTTPS_PROXY=http://***@p.example:1, all_proxy=***@q.example:2"


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
    assert len(calls) == 6
    assert "not long" not in calls[-1]


def test_the_tests_are_compiled_before_they_run(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    done: list[str] = []
    others = threading.Event()

    def fake(command: list[str], *, env: dict[str, str], **_: Any) -> Any:
        assert "PYTHONDONTWRITEBYTECODE" not in env
        if "--collect-only" in command:
            others.wait(60)  # it takes longer than all the rest
        done.append(" ".join(command))
        if "importlinter" in done[-1]:
            others.set()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(run.subprocess, "run", fake)
    assert run.run_checks([]) == 0
    assert "--collect-only" in done[-2]
    assert "--collect-only" not in done[-1]
    assert "pytest" in done[-1]


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
@pytest.mark.parametrize(
    ("variable", "address", "said"),
    [
        ("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:9", "the proxy (HTTPS_PROXY=http://***@127"),
        ("PIP_INDEX_URL", "https://127.0.0.1:9/simple", "this machine is offline"),
    ],
)
def test_a_real_pip_without_a_network(
    checkout: Path, variable: str, address: str, said: str
) -> None:
    """pip of this Python in place of the one of .venv; nothing can be downloaded."""
    python = checkout / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["no-such-thing-1"]\n[project]\nname="x"\nversion="1"\n'
    )
    (checkout / "constraints.txt").write_text("")
    names = [name for name in os.environ if name.lower().startswith(("pip_", "http", "all_proxy"))]
    without = dict.fromkeys((*names, "NO_PROXY", "no_proxy"), "")
    _, code, out, err = _start(
        checkout,
        "doctor",
        **{**without, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1", variable: address},
    )
    assert (code, out) == (1, []), err
    assert "MB are downloaded" in err
    assert said in err
    assert "Traceback" not in err and "hunter2" not in err


@posix
def test_a_mistyped_command_is_named_before_anything_is_installed(checkout: Path) -> None:
    (checkout / ".venv" / "openalgo-desktop.stamp").unlink()
    _, code, out, err = _start(checkout, "haedless")
    assert (code, out) == (2, [])
    assert "no command 'haedless'. Did you mean headless?" in err and "installing" not in err


@posix
def test_a_reader_that_goes_away_and_ctrl_c_leave_no_traceback(
    checkout: Path, ctrl_c: None
) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.write_text(RECORDER.replace("exit 7", 'echo started >&2; exec sleep "${NAP:-0}"'))
    program = subprocess.Popen(
        [sys.executable, "run.py", "test"],
        cwd=checkout,
        env={**os.environ, "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None and program.stderr is not None
    program.stdout.close()
    assert b"Traceback" not in program.stderr.read()
    assert program.wait(60) == 141
    program = subprocess.Popen(
        [sys.executable, "run.py", "test", "-k", "x"],
        cwd=checkout,
        env={**os.environ, "NAP": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert program.stderr is not None
    said = b""
    while b"started" not in said:
        said += program.stderr.read1()  # type: ignore[attr-defined]
    os.killpg(program.pid, signal.SIGINT)
    said += program.stderr.read()
    assert program.wait(60) == 130
    assert b"stopped" in said and b"Traceback" not in said


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
