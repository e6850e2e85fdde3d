"""One process for one file of the user: started when it is needed, stopped when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Value
from openalgo_desktop.core.errors import DataError

#: Seconds for one answer; more for the first, when Python and numpy start.
LIMIT: Final = 5.0
FIRST: Final = 20.0
#: No console window of its own on Windows.
_FLAGS: Final = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW
_SCRIPT: Final = Path(__file__).with_name("worker.py")
#: Of our environment the process gets these only: no key, token or path of ours is in them.
_KEPT: Final = ("SYSTEMROOT", "WINDIR", "TEMP", "TMP", "LANG")


class Answer(NamedTuple):
    """Arrays of a study for the bars that were sent, or what went wrong."""

    arrays: Sequence[Floats]
    error: str = ""
    printed: str = ""


class Worker:
    """Asks one process, one question at a time. ``private`` are folders that it must not read."""

    def __init__(self, file: Path, private: Sequence[Path], limit: float = LIMIT) -> None:
        self._file, self._private, self._limit = file, private, limit
        self._process: subprocess.Popen[bytes] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"study {file.stem}")
        self._place = ""
        self._hung = self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    async def ask(
        self, bars: Columns, params: Mapping[str, Value], outputs: Sequence[str]
    ) -> Answer:
        """What the file computes of these bars. Raises :class:`DataError` with a sentence when the
        process hung or died; the next question starts another."""
        frame = _frame(bars, params, outputs)
        loop = asyncio.get_running_loop()
        limit = self._limit if self.pid is not None else max(self._limit, FIRST)
        self._hung = False
        timer = loop.call_later(limit, self._hang)
        try:
            return await loop.run_in_executor(self._pool, self._exchange, frame)
        except (OSError, ValueError) as error:
            self.stop()
            if self._hung:
                raise DataError(
                    f"{self._file.name} took longer than {limit:g} s and was stopped. Make it "
                    "quicker or show fewer bars."
                ) from error
            raise DataError(
                f"{self._file.name}: its process ended by itself: it ran out of memory, or left."
            ) from error
        finally:
            timer.cancel()

    def _hang(self) -> None:
        self._hung = True
        self.stop()

    def stop(self) -> None:
        """End the process; a question that waits fails."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()

    def close(self) -> None:
        """The file is not needed any more."""
        self._closed = True
        self.stop()
        self._pool.submit(self._tidy)
        self._pool.shutdown(wait=False)

    # -- in the thread ----------------------------------------------------------------------
    def _exchange(self, frame: bytes) -> Answer:
        try:
            return self._spoken(frame)
        except (OSError, ValueError):
            self._tidy()  # it may not be dead yet; the next question starts another
            raise

    def _spoken(self, frame: bytes) -> Answer:
        process = self._process
        if process is None or process.poll() is not None:
            self._tidy()
            process = self._process = self._start()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(frame)
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise OSError("the process is gone")
        head = json.loads(line)
        size, arrays = int(head["size"]), []
        for _ in range(int(head["arrays"])):
            part = process.stdout.read(8 * size)
            if len(part) != 8 * size:
                raise OSError("the process is gone")
            arrays.append(np.frombuffer(part, dtype="<f8"))
        return Answer(arrays, str(head["error"]), str(head["printed"]))

    def _start(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise OSError("closed")
        self._place = tempfile.mkdtemp(prefix="study-")
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return subprocess.Popen(
            [sys.executable, "-I", "-B", str(_SCRIPT), str(self._file), *map(str, self._private)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._place,
            env={**kept, **one},
            close_fds=True,
            creationflags=_FLAGS,
        )

    def _tidy(self) -> None:
        """After a process: reap it, close its pipes, remove its empty folder."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        if self._place:
            with contextlib.suppress(OSError):
                Path(self._place).rmdir()
            self._place = ""


def _frame(bars: Columns, params: Mapping[str, Value], outputs: Sequence[str]) -> bytes:
    columns = [bars.time.astype("<f8"), bars.open, bars.high, bars.low, bars.close]
    columns += [bars.volume, bars.oi]
    head = {"size": bars.size, "arrays": len(columns), "outputs": list(outputs)}
    text = json.dumps({**head, "params": dict(params)}).encode() + b"\n"
    return b"".join([text, *(column.astype("<f8", copy=False).tobytes() for column in columns)])
