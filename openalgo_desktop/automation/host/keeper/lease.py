"""Whether an engine looks after the run: the one that is named in a file of the run's folder."""

from __future__ import annotations

from openalgo_desktop.automation.host.keeper import files, tree


class Lease:
    """Remembers the engine that was named last: a disk that cannot be read for a while, or a folder
    that somebody deleted, is no engine that has gone."""

    def __init__(self, folder: str, now: float) -> None:
        self._folder = folder
        self._owner = (0, 0)
        self._seen = now

    def alone(self, now: float) -> float:
        """Seconds since an engine was last there; 0 while there is one. ``now`` is monotonic."""
        said = files.read(self._folder, files.OWNER)
        if said is not None:
            self._owner = (int(said.get("pid", 0)), int(said.get("started", 0)))
        if tree.alive(*self._owner):
            self._seen = now
        return now - self._seen
