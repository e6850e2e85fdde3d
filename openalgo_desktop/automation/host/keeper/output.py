"""The output of a script on its way to the disk: timestamped, told apart, redacted, bounded.

A line of the log is ``2026-12-01 09:15:00.123 O text``: time in IST; ``O`` standard output, ``E``
standard error, ``N`` a note of the keeper. Files are segments of bounded size; when there are too
many, the second is deleted: how a run began stays, and its newest output.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile

from openalgo_desktop.automation.host.keeper.files import BINARY

#: The last lines that are known when a run ends.
LAST = 20
#: A line that is longer is broken, bytes.
LONGEST = 8192
#: Size of a segment, bytes, and how many there may be.
SEGMENT, SEGMENTS = 4 * 2**20, 5
#: Seconds of the allowed rate that may come at once.
BURST = 4.0
#: A line that says only: still here.
HEARTBEAT = b"#hb"
_IST = 19_800
_NO_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127))


def segment(number: int) -> str:
    """Name of the file."""
    return f"log-{number:04d}.txt"


class Budget:
    """So many bytes a second, of which up to ``burst`` may come at once."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now

    def left(self, now: float) -> float:
        """What may be used now."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left

    def use(self, count: float) -> None:
        self._left -= count


class LogFile:
    """Appends to the segments of one run. A full disk loses lines, never the run."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._number = 0
        self._size = 0
        self._file = -1
        self._next()

    def write(self, data: bytes) -> bool:
        """Whether it is on its way to the disk."""
        if self._size and self._size + len(data) > SEGMENT:
            self._next()
        try:
            os.write(self._file, data)
        except OSError:
            return False
        self._size += len(data)
        return True

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._file)
        self._file = -1

    def _next(self) -> None:
        self.close()
        self._number += 1
        self._size = 0
        path = os.path.join(self._folder, segment(self._number))
        with suppress(OSError):
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, 0o600)
        if self._number > SEGMENTS:
            with suppress(OSError):
                os.unlink(os.path.join(self._folder, segment(self._number - SEGMENTS + 1)))


class Output:
    """Takes what was read from both streams; writes what the rate allows, counts the rest."""

    def __init__(self, file: LogFile, rate: int, clean: Callable[[str], str], now: float) -> None:
        self._file = file
        self._clean = clean
        self._rate = rate
        self._budget = Budget(rate, rate * BURST, now)
        self._rest = {"O": b"", "E": b""}
        #: (time, stream, text, is in the file)
        self._last: deque[tuple[float, str, bytes, bool]] = deque(maxlen=LAST)
        self._second, self._stamp = -1, ""
        self._skipped_bytes = self._skipped_lines = 0
        self.lines = 0  # all that came
        self.left_out = 0  # of them, not in the file
        self.heard = now  # monotonic time of the last output

    def take(self, stream: str, data: bytes, now: float) -> None:
        """Output of the script, as it was read; ``now`` monotonic."""
        self.heard = now
        data = self._rest[stream] + data
        *lines, rest = data.split(b"\n")
        while len(rest) > LONGEST:
            lines.append(rest[:LONGEST])
            rest = rest[LONGEST:]
        self._rest[stream] = rest
        self.lines += len(lines)
        self._put(stream, lines, now)

    def note(self, text: str) -> None:
        """A line of the keeper's own; always written."""
        self._file.write(self._line(time.time(), "N", text))

    def finish(self, now: float) -> tuple[str, ...]:
        """No more comes. The last lines are in the file and are given back, cleaned."""
        for stream, rest in self._rest.items():
            if rest:
                self._rest[stream] = b""
                self.lines += 1
                self._put(stream, [rest], now)
        # What was left out before a line that is in the file stays out: the order is that of time.
        missing = list(takewhile(lambda row: not row[3], reversed(self._last)))[::-1]
        self.left_out -= len(missing)
        self._skipped_lines -= len(missing)
        self._say_skipped()
        for at, stream, text, _ in missing:
            self._file.write(self._line(at, stream, self._text(text)))
        return tuple(self._text(text) for _, _, text, _ in self._last)

    def close(self) -> None:
        """No more notes either."""
        self._file.close()

    def _put(self, stream: str, lines: list[bytes], now: float) -> None:
        at = time.time()
        out: list[bytes] = []
        left = self._budget.left(now)
        if self._skipped_lines and left < self._rate:
            left = 0.0  # not one line here and there: wait until a second's worth is free
        used = 0
        for index, line in enumerate(lines):
            if line.rstrip(b"\r") == HEARTBEAT:
                continue
            if used >= left:
                self._skip(stream, lines[index:], at)
                break
            if self._skipped_lines:
                self._say_skipped()
            for piece in range(0, max(len(line), 1), LONGEST):
                text = line[piece : piece + LONGEST]
                out.append(self._line(at, stream, self._text(text)))
                self._last.append((at, stream, text, True))
            used += len(line) + 27
        self._budget.use(used)
        if out and not self._file.write(b"".join(out)):
            self.left_out += len(out)

    def _skip(self, stream: str, lines: list[bytes], at: float) -> None:
        self._skipped_lines += len(lines)
        self.left_out += len(lines)
        self._skipped_bytes += sum(map(len, lines)) + len(lines)
        self._last.extend((at, stream, line[:LONGEST], False) for line in lines[-LAST:])

    def _say_skipped(self) -> None:
        if self._skipped_lines > 0:
            self.note(
                f"{self._skipped_lines:,} lines ({self._skipped_bytes / 1e6:.1f} MB) are left out "
                f"here: the log takes {self._rate / 1000:.0f} kB a second"
            )
        self._skipped_lines = self._skipped_bytes = 0

    def _text(self, line: bytes) -> str:
        text = line.decode("utf-8", "replace").rstrip("\r")
        # A progress bar overwrites itself; what would be seen is the last state.
        text = text.rpartition("\r")[2]
        return self._clean(text.translate(_NO_CONTROLS))

    def _line(self, at: float, stream: str, text: str) -> bytes:
        second = int(at)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second + _IST))
        thousandth = int((at - second) * 1000)
        return f"{self._stamp}.{thousandth:03d} {stream} {text}\n".encode("utf-8", "replace")
