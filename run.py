#!/usr/bin/env python3
"""Start OpenAlgo Desktop, or check it, on a machine that has nothing but Python 3.11 or later.

    python3 run.py                    the trading window (headless where there is no display)
    python3 run.py COMMAND ...        any command of the program: headless, api-key, doctor, ...
    python3 run.py test               every check: ruff, mypy, import-linter, pytest
    python3 run.py test --long        the same with the long tests
    python3 run.py test ARGS          only pytest, with these arguments

Standard library only. The environment lives in .venv beside this file and is installed again
only when pyproject.toml or constraints.txt has changed; downloads are shown with their sizes, and
one that fails says whether the proxy or the network is the cause. On Linux the system libraries of
Qt are looked for first: missing ones are named with the command that installs them, and installed
at once when this runs as root on Debian or Ubuntu.
"""

from __future__ import annotations

import contextlib
import ctypes
import difflib
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "openalgo-desktop.stamp"
WINDOWS = os.name == "nt"
VENV_PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
OLDEST = (3, 11)

#: What PySide6's xcb and offscreen plugins load (ldd), and the Debian package that has it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}

#: Programs that tests start, and the Debian package of each.
TEST_PROGRAMS = {
    "Xvfb": "xvfb",
    "xdotool": "xdotool",
    "dbus-run-session": "dbus",
    "gnome-keyring-daemon": "gnome-keyring",
    "node": "nodejs",
    "curl": "curl",
}

#: Commands that never show a window; anything else is the window (like shell.parser decides).
OTHER_COMMANDS = {
    *("headless", "api-key", "call", "login", "audit", "doctor", "import", "screenshot"),
    *("kill", "mode", "approvals", "accounts", "alerts", "keys", "webhooks", "settings", "sandbox"),
    *("engine", "strategy", "telegram", "mcp", "run-strategy", "rehearse"),
    *("-h", "--help", "--version"),
}

#: Commands that show or start the window, and the one of this file.
WINDOW_COMMANDS = {"gui", "test"}

#: Download and place on disk of the program, and of its test tools beside it; megabytes.
SIZES = {False: (120, 440), True: (150, 650)}

#: How pip says that the network is the problem, and what that means for the user. First fits.
CAUSES = (
    (
        r"SOCKS",
        "pip cannot use a SOCKS proxy ({proxies}). Give it an HTTP one in HTTPS_PROXY, or unset "
        "ALL_PROXY if this machine reaches the internet without.",
    ),
    (
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed|407 Proxy",
        "the proxy ({proxies}) does not let the download through. Correct HTTPS_PROXY (with user "
        "and password where it asks for them), or unset it if this machine needs none.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerification",
        "the certificate of the package index is not trusted. A proxy that opens encrypted traffic "
        "does that: name its certificate file in PIP_CERT.",
    ),
    (
        r"NameResolution|[Nn]ame resolution|getaddrinfo|nodename nor servname|Name or service not"
        r"|Network is unreachable|No route to host|NewConnectionError|ConnectTimeout"
        r"|[Rr]ead timed out|Connection refused|Connection reset|timed out",
        "the package index does not answer: this machine is offline, or reaches the internet only "
        "through a proxy ({proxies}); name it in HTTPS_PROXY, such as http://proxy.example:8080.",
    ),
    (r"No space left on device|Errno 28", "the disk is full; about {place} MB are needed."),
    (
        r"No matching distribution found",
        "the package index does not have what is needed, or does not answer. Is this machine "
        "online, and does it need a proxy ({proxies}; name it in HTTPS_PROXY)?",
    ),
)

LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run()"


class SetupError(Exception):
    """The machine lacks something; the text says what and how to get it."""

    code = 1


class UnknownCommand(SetupError):
    """There is no such command."""

    code = 2


def say(text: str) -> None:
    """A line of our own; on standard error, so that a command's output stays clean."""
    with contextlib.suppress(OSError):  # nobody reads it any more
        print(f"run.py: {text}", file=sys.stderr, flush=True)


def quiet_env() -> dict[str, str]:
    """The caller's environment without what would lead an own environment astray."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "__PYVENV_LAUNCHER__")}
    env.update(PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return env


# -- Debian packages ----------------------------------------------------------------------------


def can_install() -> bool:
    """Whether apt-get is here and we may use it."""
    return not WINDOWS and shutil.which("apt-get") is not None and os.geteuid() == 0


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages; says so first, tells whether it went well."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        say(shlex.join(step))
        # apt's talk goes where ours goes: standard output belongs to the program
        if subprocess.run(step, env=env, stdout=sys.stderr, check=False).returncode != 0:
            return False
    return True


def install_hint(libraries: list[str], packages: list[str]) -> str:
    """The command that installs what is missing, for the package manager of this machine."""
    if shutil.which("apt-get"):
        return f"sudo apt-get install {' '.join(packages)}"
    for manager in ("dnf", "zypper"):  # both find a package by the library that it provides
        if libraries and shutil.which(manager):
            return f"sudo {manager} install " + " ".join(f"'{x}()(64bit)'" for x in libraries)
    return f"with your package manager (Debian calls them {' '.join(packages)})"


def loads(library: str) -> bool:
    """Whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_libraries() -> list[str]:
    """The system libraries of Qt that are not here; none on macOS and Windows."""
    if not sys.platform.startswith("linux"):
        return []
    return [name for name in QT_LIBRARIES if not loads(name)]


def packages_of(names: list[str], table: dict[str, str]) -> list[str]:
    """Debian packages of libraries or programs, each once."""
    return sorted({table[name] for name in names})


def ensure_qt_libraries() -> None:
    """Qt's system libraries are here, or :class:`SetupError` says which command brings them."""
    missing = missing_libraries()
    if missing and can_install():
        apt_install(packages_of(missing, QT_LIBRARIES))
        missing = missing_libraries()
    if missing:
        hint = install_hint(missing, packages_of(missing, QT_LIBRARIES))
        raise SetupError(
            f"the window needs system libraries that are not here: {', '.join(missing)}.\n"
            f"Install them: {hint}\n"
            "Without them, `python3 run.py headless` runs the engine and its API."
        )


def ensure_test_programs() -> None:
    """Install or name what tests start; tests that lack theirs say so themselves."""
    if not sys.platform.startswith("linux"):
        return
    missing = [name for name in TEST_PROGRAMS if shutil.which(name) is None]
    if missing and can_install():
        apt_install(packages_of(missing, TEST_PROGRAMS))
        missing = [name for name in TEST_PROGRAMS if shutil.which(name) is None]
    if missing:
        packages = packages_of(missing, TEST_PROGRAMS)
        say(f"some tests need {', '.join(missing)}. Install: {install_hint([], packages)}")


# -- the environment ----------------------------------------------------------------------------


def fingerprint() -> str:
    """Changes when the environment must be installed again; a moved checkout counts too."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def read_stamp() -> tuple[str, bool]:
    """What was installed last: the fingerprint, and whether with the test tools."""
    try:
        words = STAMP.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return "", False
    return (words[0], "test" in words[1:]) if words else ("", False)


def answers(code: str) -> bool:
    """Whether the environment's interpreter runs this code; False if it is broken."""
    try:
        done = subprocess.run(
            [str(VENV_PYTHON), "-I", "-c", code],
            cwd=ROOT, env=quiet_env(), capture_output=True, check=False, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def ensure_venv_module() -> None:
    """Debian ships Python without ensurepip: name the package, or install it as root."""
    if all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if can_install() and apt_install([package]):
        return
    raise SetupError(
        "this Python cannot make virtual environments (ensurepip is missing).\n"
        f"Install it: {install_hint([], [package])}"
    )


def create_venv() -> None:
    """A new, empty environment in place of whatever is there."""
    ensure_venv_module()
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    say(f"making the environment in {VENV}")
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        env=quiet_env(), stdout=sys.stderr, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not answers("import pip"):
        raise SetupError(f"the environment in {VENV} could not be made; the lines above say why.")


def ensure_environment(tests: bool) -> None:
    """The tested versions are installed in .venv; with the test tools if asked for."""
    wanted = fingerprint()
    installed, with_tests = read_stamp()
    healthy = answers(
        "import sys; from importlib.util import find_spec as f;"
        "sys.exit(not (sys.version_info >= (3, 11) and f('openalgo_desktop') and f('msgspec')))"
    )
    if installed == wanted and healthy and (with_tests or not tests):
        return
    STAMP.unlink(missing_ok=True)
    if not answers("import sys, pip; sys.exit(sys.version_info < (3, 11))"):
        create_venv()
    tests = tests or with_tests  # tools that are there are kept at the tested versions too
    install(tests)
    # Where nothing may be written at run time, each start would compile every module again.
    subprocess.run(
        [str(VENV_PYTHON), "-m", "compileall", "-q", "openalgo_desktop"],
        cwd=ROOT, env=quiet_env(), stdout=sys.stderr, check=False,
    )  # fmt: skip
    STAMP.write_text(f"{wanted} {'app test' if tests else 'app'}\n", encoding="ascii")


def install(tests: bool) -> None:
    """The tested versions, with what is downloaded and how large it is on standard error.

    Raises :class:`SetupError` with the likely cause.
    """
    download, place = SIZES[tests]
    say(
        f"installing the tested versions: up to {download} MB are downloaded, {place} MB are "
        "needed on disk (this happens once)"
    )
    command = [
        str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check",
        "-c", "constraints.txt", "-e", ".[test]" if tests else ".",
    ]  # fmt: skip
    # At a terminal pip draws its bars there; else its lines name each file and its size.
    bars = sys.stderr.isatty()
    told: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, env=quiet_env(), text=True, errors="replace",
        stdout=sys.stderr if bars else subprocess.PIPE,
        stderr=subprocess.PIPE if bars else subprocess.STDOUT,
    ) as pip:  # fmt: skip
        for line in pip.stderr or pip.stdout or ():
            told.append(line)
            if worth_showing(line):
                with contextlib.suppress(OSError):
                    print(line.rstrip(), file=sys.stderr, flush=True)
    if pip.returncode != 0:
        raise SetupError(failure("".join(told), place))


def worth_showing(line: str) -> bool:
    """Whether a line of pip tells the user something: files with sizes, steps, errors. What it
    says of every try of every package is not shown, and its traceback helps nobody here."""
    text = line.strip()
    return text.startswith(
        ("Downloading ", "Installing ", "Successfully ", "Building ", "ERROR: ", "error: ")
    )


def failure(told: str, place: int) -> str:
    """Why the installation failed, as sentences; ``place`` in megabytes."""
    if any(f"host='{host}', port={port}" in told for host, port in proxy_addresses()):
        told = "ProxyError"  # newer pips say only to which address they found no way
    for pattern, cause in CAUSES:
        if re.search(pattern, told):
            reason = cause.format(proxies=proxies(), place=place)
            return f"the installation failed: {reason}\nRun this again then."
    return "the installation failed; the lines above say why. Run this again then."


def named_proxies() -> dict[str, str]:
    """The proxies of the environment by variable."""
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def proxy_addresses() -> set[tuple[str, str]]:
    """Host and port of each."""
    found = [re.search(r"([^/@:]+):(\d+)/?$", text) for text in named_proxies().values()]
    return {(match[1], match[2]) for match in found if match}


def proxies() -> str:
    """The same as text, without their passwords."""
    hidden = {
        name: re.sub(r"^(\w+://)?[^/]*@", r"\1***@", text) for name, text in named_proxies().items()
    }
    return ", ".join(f"{name}={text}" for name, text in hidden.items()) or "none is set"


# -- the program and its checks -----------------------------------------------------------------


def check_command(arguments: list[str]) -> None:
    """A mistyped command is told before anything is installed. Raises :class:`SetupError`."""
    known = OTHER_COMMANDS | WINDOW_COMMANDS
    if not arguments or arguments[0].startswith("-") or arguments[0] in known:
        return
    near = difflib.get_close_matches(arguments[0], sorted(known), n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    words = ", ".join(sorted(word for word in known if not word.startswith("-")))
    raise UnknownCommand(f"there is no command {arguments[0]!r}.{hint} Commands: {words}.")


def program_arguments(arguments: list[str]) -> list[str]:
    """The program's arguments; without a display the window becomes the headless engine."""
    if set(arguments) & OTHER_COMMANDS:
        return arguments
    shown = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if not sys.platform.startswith("linux") or any(os.environ.get(name) for name in shown):
        ensure_qt_libraries()
        return arguments
    say("no display here (DISPLAY and WAYLAND_DISPLAY are empty): starting headless instead.")
    say("Scripts can connect as usual; Ctrl+C stops it.")
    return ["headless", *(word for word in arguments if word != "gui")]


def run_program(arguments: list[str]) -> int:
    """The program in place of this one (POSIX), or as a child whose exit code is passed on."""
    command = [str(VENV_PYTHON), "-P", "-m", "openalgo_desktop", *arguments]
    if not WINDOWS:
        os.execve(command[0], command, quiet_env())
    with subprocess.Popen(command, env=quiet_env()) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the child got it too and stops by itself
                continue


def run_checks(arguments: list[str]) -> int:
    """All checks, or only pytest if there are arguments; the worst exit code."""
    long = "--long" in arguments
    arguments = [word for word in arguments if word != "--long"]
    python = str(VENV_PYTHON)
    pytest = [python, "-m", "pytest"]
    if not long and not any(word.startswith("-m") for word in arguments):
        pytest += ["-m", "not long"]
    if arguments:
        command = [*pytest, *arguments]
        return subprocess.run(command, cwd=ROOT, env=quiet_env(), check=False).returncode
    checks = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "import-linter": [python, "-c", LINT_IMPORTS],  # its script would not survive a move
        # four for two cores: many tests wait for a program, a socket or a clock;
        # a worker that crashes is named at once; with a new one in its place pytest would hang;
        # files in the order of tests/conftest.py, which has the small ones last
        "pytest": [
            *(*pytest, "-n", "4", "--dist", "loadfile"),
            *("--no-loadscope-reorder", "--max-worker-restart=0"),
        ],
    }
    failed = []
    # The tests are read while the others run: workers that find them compiled begin a minute
    # sooner. Whether they can be read is seen there.
    env = {k: v for k, v in quiet_env().items() if k != "PYTHONDONTWRITEBYTECODE"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    reading = threading.Thread(
        target=subprocess.run,
        args=([*pytest, "--collect-only", "-q"],),
        kwargs={"cwd": ROOT, "env": env, "check": False, **quiet},
    )
    reading.start()
    for name, command in checks.items():
        if name == "pytest":
            reading.join()
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode != 0:
            failed.append(name)
    if failed:
        print(f"== failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    """Set up what is missing, then start the program or run the checks; returns the exit code."""
    if sys.version_info < OLDEST:
        have = ".".join(map(str, sys.version_info[:3]))
        say(f"Python {have} is too old: OpenAlgo Desktop needs Python 3.11 or later.")
        return 1
    testing = arguments[:1] == ["test"]
    try:
        check_command(arguments)
        if testing:
            ensure_qt_libraries()
            ensure_test_programs()
        else:
            arguments = program_arguments(arguments)
        ensure_environment(tests=testing)
        return run_checks(arguments[1:]) if testing else run_program(arguments)
    except SetupError as error:
        say(str(error))
        return error.code
    except KeyboardInterrupt:
        say("stopped.")
        return 130
    except BrokenPipeError:  # like `| head`: nobody reads any more
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
