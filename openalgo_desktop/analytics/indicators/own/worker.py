"""The process that runs one file of the user. It imports nothing of the program.

``python -I worker.py FILE PRIVATE...``: requests on standard input, answers on standard output,
each a line of JSON that says how many arrays of 8-byte floats follow. What is refused here (files
to write, the private folders, network, other programs) keeps a mistake from doing harm; it is no
prison: the file is the user's own and has the user's rights.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
import types
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
COLUMNS = ("time", "open", "high", "low", "close", "volume", "oi")
#: Bytes of memory, and characters of what was printed that are given back.
MEMORY, PRINTED = 2 << 30, 2000
#: Beginnings of the names of audit events.
_REFUSED = (
    *("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn"),
    *("os.remove", "os.rename", "os.rmdir", "os.truncate", "os.kill", "shutil.", "webbrowser."),
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Bars:
    """What ``compute`` gets: arrays of one length, oldest first."""

    def __init__(self, arrays: list[Floats]) -> None:
        time, self.open, self.high, self.low, self.close, self.volume, self.oi = arrays
        self.time = time.astype(np.int64)

    def __len__(self) -> int:
        return len(self.time)

    def source(self, name: str) -> Any:
        """A column, or a mean of some: hl2, hlc3, ohlc4, hlcc4."""
        parts = {"o": self.open, "h": self.high, "l": self.low, "c": self.close}
        if name in COLUMNS:
            return vars(self)[name]
        return sum(parts[letter] for letter in name[:-1]) / int(name[-1])


def limit() -> None:
    """The limits of the system, where it has them."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {"RLIMIT_AS": MEMORY, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0, "RLIMIT_NPROC": 0}
    for name, value in wanted.items():
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))


def refuse(file: str, private: list[str]) -> None:
    """From here on nothing of this process writes, calls out or reads in the private folders (but
    for that of the file)."""
    closed = tuple(os.path.join(os.path.realpath(path), "") for path in private)
    folder = os.path.join(os.path.dirname(os.path.realpath(file)), "")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event.startswith(_REFUSED):
            raise PermissionError(f"a study may not do that ({event})")
        if event == "open" and isinstance(args[0], str | bytes):
            path = os.path.realpath(os.fsdecode(args[0]))
            if (args[2] or 0) & _WRITES:
                raise PermissionError(f"a study may not write files ({path})")
            if path.startswith(closed) and not path.startswith(folder):
                raise PermissionError("a study may not read the data folder")

    sys.addaudithook(hook)


def told(error: BaseException, file: str) -> str:
    """The user's lines of a traceback, then what went wrong, each on a line of its own."""
    lines = [
        f"line {frame.lineno}, in {frame.name}: {frame.line}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == file
    ]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines = [f"line {error.lineno}: {(error.text or '').strip()}"]
    what = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()
    return "\n".join([*lines[-4:], what[-1]])


def study_of(file: str) -> types.ModuleType:
    """The module that the file is; what it raises is the caller's."""
    with open(file, encoding="utf-8") as source:
        text = source.read()
    module = types.ModuleType("study")
    module.__file__ = file
    exec(compile(text, file, "exec"), module.__dict__)
    return module


def computed(
    module: types.ModuleType, request: dict[str, Any], arrays: list[Floats]
) -> list[Floats]:
    """Arrays of all outputs, in the order that was asked for."""
    bars, names = Bars(arrays), request["outputs"]
    found = module.compute(bars, request["params"])
    if not isinstance(found, dict):
        rows = found if isinstance(found, tuple | list) and len(names) > 1 else [found]
        found = dict(zip(names, rows, strict=False))
    result = []
    for name in names:
        if name not in found:
            raise ValueError(f"compute gave nothing for {name!r}")
        array = np.array(found[name], dtype=np.float64)
        if array.shape != (len(bars),):
            given: Any = array.shape[0] if array.ndim == 1 else array.shape
            raise ValueError(
                f"compute gave {given} values for {name!r}; there are {len(bars)} bars"
            )
        array[~np.isfinite(array)] = np.nan
        result.append(array)
    return result


def read(stream: BinaryIO) -> tuple[dict[str, Any], list[Floats]] | None:
    """One request and its arrays; None at the end."""
    line = stream.readline()
    if not line:
        return None
    request = json.loads(line)
    size = request["size"]
    arrays: list[Floats] = []
    for _ in range(request["arrays"]):
        arrays.append(np.frombuffer(stream.read(8 * size), dtype="<f8").copy())
    return request, arrays


def serve(file: str, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the other side ends."""
    module, broken = types.ModuleType("none"), ""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            module = study_of(file)
    except BaseException as error:
        broken = told(error, file)
    while (found := read(requests)) is not None:
        request, arrays = found
        printed, failed = io.StringIO(), broken
        result: list[Floats] = []
        if not broken:
            try:
                with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
                    result = computed(module, request, arrays)
            except BaseException as raised:
                failed = told(raised, file)
        head = {"size": request["size"], "arrays": len(result), "error": failed}
        head["printed"] = printed.getvalue()[-PRINTED:]
        answers.write(json.dumps(head).encode() + b"\n")
        for array in result:
            answers.write(array.astype("<f8").tobytes())
        answers.flush()


def main() -> None:
    file, *private = sys.argv[1:]
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):  # what the file prints or reads is not the conversation
        os.dup2(nothing, number)
    limit()
    refuse(file, private)
    serve(file, requests, answers)


if __name__ == "__main__":
    main()
