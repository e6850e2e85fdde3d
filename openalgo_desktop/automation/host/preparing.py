"""Checks a program and finds what runs it, before anything of it is executed.

Which Python runs a script:

* with a ``requirements.txt``: a virtual environment of these requirements alone, on the program's
  interpreter or ours;
* without: the program's interpreter, or the one that runs us, with the packages that it has. A
  script that imports ``openalgo`` where that is not installed gets the *base environment*: one
  virtual environment with the public client (and so pandas and numpy), made once.

In a packaged program ``sys.executable`` is no Python. There a script without requirements runs
inside it (``openalgo-desktop run-strategy FILE``), and one with requirements needs an interpreter
of the user's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openalgo_desktop.automation.host import probe, tools
from openalgo_desktop.automation.host.ports import Program, Ready
from openalgo_desktop.automation.host.venvs import Venvs, Wanted, python_of
from openalgo_desktop.core.errors import ConfigError

#: What the base environment has. The client brings pandas, numpy and httpx.
BASE = "openalgo\n"
CLIENT = "openalgo"
#: The command of a packaged program that runs a script inside it.
INSIDE = "run-strategy"
#: Seconds that the check of a script may take.
_CHECK = 60.0


class Preparer:
    """Gives a :class:`Ready` for a program. ``base`` is the text of the base environment's
    requirements; ``interpreter`` is asked for the Python of programs that name none."""

    def __init__(
        self,
        venvs: Venvs,
        base: str = BASE,
        interpreter: Callable[[], str] = str,
    ) -> None:
        self._venvs = venvs
        self._base = base
        self._chosen = interpreter
        self._ours = Path(sys.executable)
        self._packaged = hasattr(sys, "frozen")

    async def prepare(self, program: Program, progress: Callable[[str], None]) -> Ready:
        """See :class:`Processes`."""
        entry = entry_of(program)
        base = self._interpreter(program)
        inside = self._packaged and base == self._ours
        checker = [str(base), INSIDE, "--check"] if inside else [str(base), probe.__file__]
        told = await self._look(checker, entry, program)
        venv: Path | None = None
        if program.requirements is not None:
            if inside:
                raise ConfigError(
                    f"{program.requirements.name} needs a Python to install into, and this program "
                    "is packaged without one: choose an interpreter for the strategy, or one for "
                    "all in setting hosting.interpreter."
                )
            wanted = await asyncio.to_thread(Wanted.of, program.requirements)
            venv = await self._venvs.get(wanted, base, progress)
        elif not inside and any(name == CLIENT for name, _ in told["missing"]):
            venv = await self._venvs.get(Wanted(self._base, "the openalgo client"), base, progress)
        if venv is not None:
            told = await self._look([str(python_of(venv)), probe.__file__], entry, program)
        command = (str(python_of(venv)) if venv is not None else str(base),)
        notes = tuple(
            f"{entry.name} line {line} imports {name}, which is not installed: write {name} (or "
            "the name of its package) into a requirements.txt beside it."
            for name, line in told["missing"]
        )
        return Ready(
            command=(*command, INSIDE) if inside else command,
            entry=entry,
            digest=told["digest"],
            python=told["python"],
            venv=venv,
            notes=notes,
        )

    def _interpreter(self, program: Program) -> Path:
        chosen = program.interpreter
        of_all = chosen is None and self._chosen().strip()
        if of_all:
            chosen = Path(of_all).expanduser()
        if chosen is None:
            return self._ours
        if not chosen.is_file():
            where = "setting hosting.interpreter" if of_all else f"strategy {program.name}"
            raise ConfigError(
                f"The interpreter {chosen} of {where} is not there: choose another, or none to use "
                "ours."
            )
        return chosen

    async def _look(self, checker: list[str], entry: Path, program: Program) -> dict[str, Any]:
        """What :mod:`probe` tells. Raises :class:`ConfigError` when the script does not compile or
        the interpreter does not run."""
        try:
            done = await tools.run([*checker, str(entry)], folder=entry.parent, timeout=_CHECK)
            told: dict[str, Any] = {"digest": "", **json.loads(done.out.splitlines()[-1])}
        except (OSError, ValueError, IndexError, TypeError, TimeoutError) as error:
            raise ConfigError(
                f"{checker[0]} could not check {entry.name}{_why(error)}. "
                "Is it a Python of version 3? Choose another interpreter.",
                detail=str(error),
            ) from error
        if "error" in told:
            where = f" line {told['line']}" if told["line"] else ""
            raise ConfigError(
                f"{entry.name}{where} does not compile with Python {told['python']}: "
                f"{told['error']}. Correct it ({entry}) and start again."
            )
        return told


def entry_of(program: Program) -> Path:
    """The script as an absolute path. Raises :class:`ConfigError` for one that is not there, is no
    Python file, or lies outside its folder."""
    folder = program.folder.resolve()
    if not folder.is_dir():
        raise ConfigError(
            f"The folder {program.folder} of strategy {program.name} is not there: add the "
            "strategy again from where it is now."
        )
    entry = (folder / program.entry).resolve()
    if not entry.is_relative_to(folder):
        raise ConfigError(f"The entry {program.entry} is outside {folder}: it has to be inside.")
    if not entry.is_file():
        raise ConfigError(
            f"The entry {program.entry} is missing in {folder}: put it there, or name another "
            "file as the strategy's entry."
        )
    if entry.suffix not in (".py", ".pyw"):
        raise ConfigError(f"The entry {program.entry} is no Python file: it has to end in .py.")
    return entry


def _why(error: Exception) -> str:
    """What the system says; that nothing (or nonsense) came back is no reason by itself."""
    return f": {error}" if isinstance(error, OSError) and str(error) else ""
