"""Virtual environments of hosted programs: one for each content of a ``requirements.txt`` and each
interpreter, shared by all programs that have the same, made whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from openalgo_desktop.automation.host import tools
from openalgo_desktop.core.errors import ConfigError

#: Folders that are not ready yet begin so; what a crash left of them is deleted.
_BUILDING = ".building-"
_USED = "used"
#: Other files that a requirements.txt names, and things that lie beside it.
_NESTED = re.compile(r"(?m)^\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)")
_LOCAL = re.compile(
    r"(?m)^\s*(?:-e|--editable|-r|-c|--requirement|--constraint|\.|/|file:)|@\s*file:"
)
#: The first pip that installs for another interpreter.
_PIP = (22, 3)


class Wanted(NamedTuple):
    """What an environment is to have. ``text`` is the content of the file with those that it names;
    ``place`` is its folder where it names things beside it, and so is nobody else's; ``source``
    names it in messages."""

    text: str
    source: str
    path: Path | None = None
    place: str = ""

    @classmethod
    def of(cls, path: Path) -> Wanted:
        """Of a ``requirements.txt``. Raises :class:`ConfigError` when it cannot be read."""
        text = _read(path, path.name)
        place = str(path.resolve().parent) if _LOCAL.search(text) else ""
        for name in _NESTED.findall(text):
            text += f"\n# {name}\n" + _read(path.parent / name, f"{name} (of {path.name})")
        return cls(text, path.name, path, place)


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{name} cannot be read ({error}): it has to be a UTF-8 text file beside the strategy."
        ) from error


class Venvs:
    """Makes and finds them below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, asyncio.Lock] = {}
        self._pips: dict[Path, list[str]] = {}

    async def get(self, wanted: Wanted, base: Path, progress: Callable[[str], None]) -> Path:
        """The environment with ``wanted`` on the interpreter ``base``. Raises :class:`ConfigError`
        with pip's last lines."""
        key = self.key(wanted, base)
        path = self._folder / key
        async with self._locks.setdefault(key, asyncio.Lock()):
            if not python_of(path).exists():
                await self._build(path, wanted, base, progress)
            with suppress(OSError):
                (path / _USED).touch()
        return path

    @staticmethod
    def key(wanted: Wanted, base: Path) -> str:
        """Name of the folder. Comments, blank lines and order of pins are part of the content:
        a changed file is a changed environment."""
        text = f"{base}\n{_stamp(base)}\n{wanted.place}\n{wanted.text}"
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def sweep(self) -> None:
        """Delete what a crash left half made. Blocks."""
        with suppress(OSError):
            for path in self._folder.glob(_BUILDING + "*"):
                shutil.rmtree(path, ignore_errors=True)

    def unused(self, days: float, now: float) -> list[Path]:
        """Environments that no program asked for in so many days. Blocks."""
        old: list[Path] = []
        with suppress(OSError):
            for path in self._folder.iterdir():
                with suppress(OSError):
                    if now - (path / _USED).stat().st_mtime > days * 86_400:
                        old.append(path)
        return old

    async def _build(
        self, path: Path, wanted: Wanted, base: Path, progress: Callable[[str], None]
    ) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A name of its own: the pip of an engine that was killed may still write into another.
        building = self._folder / f"{_BUILDING}{path.name}-{secrets.token_hex(4)}"
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)  # its interpreter is gone
        try:
            await self._make(building, base, progress)
            listed, source = wanted.path, wanted.source
            if listed is None:
                listed = building / "requirements.txt"
                listed.write_text(wanted.text, encoding="utf-8")
            progress(f"Installing {source}")
            command = [*await self._pip(building, base), "install", "--no-input"]
            command += ["--disable-pip-version-check", "--progress-bar", "off", "-r", str(listed)]
            # Paths in the file are those of its folder.
            done = await tools.run(command, folder=listed.parent, hear=progress)
            if done.code:
                raise ConfigError(
                    f"pip could not install {source} (exit code {done.code}): {_reason(done.out)} "
                    f"Correct that line of {source} or the network, then start again.",
                    detail=done.out,
                )
            if wanted.path is not None and Wanted.of(wanted.path) != wanted:
                raise ConfigError(f"{source} was changed while it was installed: start again.")
            os.rename(building, path)
        finally:
            await asyncio.to_thread(shutil.rmtree, building, ignore_errors=True)

    async def _make(self, building: Path, base: Path, progress: Callable[[str], None]) -> None:
        progress("Making a virtual environment")
        done = await tools.run([str(base), "-m", "venv", "--without-pip", str(building)])
        if done.code:
            raise ConfigError(
                f"{base} could not make a virtual environment: {_reason(done.out)} Install the "
                "venv package of that Python, or choose another interpreter.",
                detail=done.out,
            )

    async def _pip(self, building: Path, base: Path) -> list[str]:
        """The command of a pip that installs into ``building``: the interpreter's own (no copy is
        needed then), or one put there."""
        python = str(python_of(building))
        for one in (base, Path(sys.executable)):
            command = self._pips.get(one, [str(one), "-m", "pip"])
            if one not in self._pips:
                done = await tools.run([*command, "--version"])
                if done.code or _pip_version(done.out) < _PIP:
                    continue
                self._pips[one] = command
            return [*command, "--python", python]
        done = await tools.run([python, "-m", "ensurepip", "--default-pip"])
        if done.code:
            raise ConfigError(
                f"{base} has no pip and could not get one: {_reason(done.out)} Install pip for "
                "that Python, or choose another interpreter.",
                detail=done.out,
            )
        return [python, "-m", "pip"]


def python_of(venv: Path, *, windows: bool = sys.platform == "win32") -> Path:
    """The interpreter inside."""
    return venv / "Scripts" / "python.exe" if windows else venv / "bin" / "python"


def _stamp(base: Path) -> str:
    """Changes when the interpreter is another one, such as after an update of the system."""
    with suppress(OSError):
        facts = base.resolve().stat()
        return f"{facts.st_size} {facts.st_mtime_ns}"
    return ""


def _pip_version(text: str) -> tuple[int, ...]:
    words = text.split()
    with suppress(IndexError, ValueError):
        return tuple(int(part) for part in words[1].split(".")[:2])
    return (0,)


def _reason(out: str) -> str:
    """The lines of the output that say why: those of an error, else the last ones."""
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    text = " ".join(errors[-3:] or lines[-3:]) or "it said nothing."
    return text if text.endswith((".", "!", "?")) else text + "."
