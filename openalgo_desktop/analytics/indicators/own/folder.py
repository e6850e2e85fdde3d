"""The folder of the user's studies: what is in it, and their processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from weakref import WeakSet

from openalgo_desktop.analytics.indicators.own.declared import declared
from openalgo_desktop.analytics.indicators.own.process import LIMIT, Worker
from openalgo_desktop.analytics.indicators.own.study import OwnStudy, Spawn
from openalgo_desktop.analytics.indicators.running.library import USER, Changed
from openalgo_desktop.core.charting.studies import Study, StudySpec, Value
from openalgo_desktop.core.errors import DataError

#: Bytes of a file, and files: more is a mistake.
_LARGEST: Final = 1 << 20
_MANY: Final = 200


class _File(NamedTuple):
    stamp: tuple[int, int]  # when it was changed, its size
    spec: StudySpec | None
    problem: str


class OwnFolder:
    """Implements :class:`OwnStudies`. ``private`` are folders that their processes must not
    read. :meth:`look` finds what changed; it is cheap while nothing did."""

    def __init__(
        self, path: Path, private: Sequence[Path], spawn: Spawn, limit: float = LIMIT
    ) -> None:
        self.path = path
        self._private, self._spawn, self._limit = private, spawn, limit
        self._files: dict[str, _File] = {}
        self._workers: dict[str, Worker] = {}
        self._running: dict[str, WeakSet[OwnStudy]] = {}

    def look(self) -> list[str]:
        """Ids of studies whose files are new, changed or gone since the last look. Those that run
        keep their values until whoever has them makes them anew."""
        found = self._stamps()
        changed = [
            name
            for name in {*found, *self._files}
            if name not in self._files or found.get(name) != self._files[name].stamp
        ]
        idle = [name for name in self._workers if not self._running.get(name)]
        for name in {*changed, *idle}:
            self._let_go(name)
        for name in changed:
            if name in found:
                self._files[name] = self._read(name, found[name])
            else:
                del self._files[name]
        return sorted(_ident(name) for name in changed)

    def _stamps(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        try:
            paths = sorted(path for path in self.path.glob("*.py") if path.name[0] != ".")
        except OSError:
            return found
        for path in paths[:_MANY]:
            with suppress(OSError):  # gone meanwhile, or a link to nothing: no other file's matter
                about = path.stat()
                found[path.name] = (about.st_mtime_ns, about.st_size)
        return found

    def _read(self, name: str, stamp: tuple[int, int]) -> _File:
        try:
            if stamp[1] > _LARGEST:
                raise DataError(f"{name} is larger than a megabyte.")
            return _File(stamp, declared(name, (self.path / name).read_text("utf-8")), "")
        except DataError as error:
            return _File(stamp, None, error.message)
        except (OSError, UnicodeDecodeError) as error:
            return _File(stamp, None, f"{name} cannot be read: {error}.")

    def specs(self) -> Sequence[StudySpec]:
        """Of the files that say what they are."""
        return [file.spec for file in self._files.values() if file.spec is not None]

    @property
    def problems(self) -> Mapping[str, str]:
        """By file, why it is no study: a sentence."""
        return {name: file.problem for name, file in self._files.items() if file.problem}

    def make(self, study: str, params: Mapping[str, Value], changed: Changed) -> Study:
        """A running study."""
        name = f"{study.removeprefix(USER)}.py"
        file = self._files.get(name)
        if file is None or file.spec is None:
            raise DataError(file.problem if file is not None else f"{name} is not there any more.")
        if name not in self._workers:
            self._workers[name] = Worker(self.path / name, self._private, self._limit)
        outputs = [output.name for output in file.spec.outputs]
        made = OwnStudy(self._workers[name], params, outputs, changed, self._spawn)
        self._running.setdefault(name, WeakSet()).add(made)
        return made

    def _let_go(self, name: str) -> None:
        for study in self._running.pop(name, ()):
            study.close()
        worker = self._workers.pop(name, None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """End all processes."""
        for name in tuple(self._workers):
            self._let_go(name)

    @property
    def processes(self) -> Sequence[int]:
        """Ids of the processes that run."""
        return [pid for worker in self._workers.values() if (pid := worker.pid) is not None]


def _ident(name: str) -> str:
    return f"{USER}{name.removesuffix('.py')}"
