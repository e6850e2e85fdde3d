"""The event loop of the window: asyncio on Qt with one wake-up and one timer.

Stock qasync makes a Qt timer per callback and keeps the timer of a cancelled timeout until it
would have fired. Here ready callbacks wait in one queue, timeouts in one heap.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

# PySide6 is imported first: qasync takes the Qt binding that is already there.
from PySide6.QtCore import QObject, Qt, QTimer, QTimerEvent, Signal  # isort: skip
from PySide6.QtWidgets import QApplication  # isort: skip
import qasync  # isort: skip

#: Callbacks run for at most this long before Qt gets a turn to paint and read input, seconds.
SLICE = 0.005
#: What callbacks call for in turn is run at once within this time, seconds: an order goes through
#: some ten of them, and a paint between two costs it a third of a frame.
CHAIN = 0.002
#: The heap is rebuilt when more than half of it is cancelled and it has at least this many.
COMPACT_FROM = 64
WORKERS = 8

Entry = tuple[float, int, asyncio.TimerHandle]


class _Pump(QObject):
    """The ready queue, the timer heap and what wakes them up."""

    _inbox_filled = Signal()

    def __init__(self, loop: PumpEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self.ready: deque[asyncio.Handle] = deque()
        self.heap: list[Entry] = []
        self.cancelled = 0
        self._order = itertools.count()
        self._zero_timer = 0
        self._thread = threading.get_ident()
        self._inbox: deque[asyncio.Handle] = deque()
        self._signalled = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._due)
        self._inbox_filled.connect(self._empty_inbox)

    # -- ready callbacks --------------------------------------------------------------------
    def add(self, handle: asyncio.Handle) -> None:
        """Run ``handle`` in the next turn of the loop."""
        self.ready.append(handle)
        if not self._zero_timer:
            self._zero_timer = self.startTimer(0)

    def timerEvent(self, event: QTimerEvent) -> None:
        # Qt does not fire a timer again while its event is handled: a nested Qt event loop needs
        # another one for what still waits and for what comes.
        self.killTimer(event.timerId())
        self._zero_timer = 0
        self._turn()

    def _turn(self) -> None:
        if not self._zero_timer and len(self.ready) > 1:
            self._zero_timer = self.startTimer(0)
        self._run_ready()
        if self.ready and not self._zero_timer:
            self._zero_timer = self.startTimer(0)
        elif not self.ready and self._zero_timer:
            self.killTimer(self._zero_timer)
            self._zero_timer = 0

    def _run_ready(self) -> None:
        # In a nested Qt event loop (a drag, a native dialog) a task may already be running:
        # it steps aside, else every other task would refuse to run.
        paused = asyncio.current_task(self._loop)
        if paused is not None:
            asyncio.tasks._leave_task(self._loop, paused)
        ready, waited = self.ready, len(self.ready)
        began = time.perf_counter()
        try:
            while ready:  # a nested turn may have emptied it
                handle = ready.popleft()
                waited -= 1
                if handle._cancelled:
                    continue
                handle._run()
                if time.perf_counter() - began >= (SLICE if waited > 0 else CHAIN):
                    break
        finally:
            if paused is not None:
                asyncio.tasks._enter_task(self._loop, paused)

    # -- from other threads -----------------------------------------------------------------
    def add_threadsafe(self, handle: asyncio.Handle) -> None:
        """As :meth:`add`, from any thread; many calls share one wake-up."""
        if threading.get_ident() == self._thread:
            self.add(handle)
            return
        self._inbox.append(handle)
        if not self._signalled:
            self._signalled = True
            self._inbox_filled.emit()

    def _empty_inbox(self) -> None:
        # First the flag, then the inbox: a call that comes between the two wakes us once more.
        self._signalled = False
        inbox = self._inbox
        while inbox:
            self.ready.append(inbox.popleft())
        self._turn()

    # -- timeouts ---------------------------------------------------------------------------
    def add_timer(self, handle: asyncio.TimerHandle) -> None:
        """Run ``handle`` at its time."""
        entry = (handle.when(), next(self._order), handle)
        heapq.heappush(self.heap, entry)
        if self.heap[0] is entry:
            self._arm()

    def note_cancelled(self) -> None:
        """A handle in the heap was cancelled; rebuild the heap when most of it is dead."""
        self.cancelled += 1
        if len(self.heap) >= COMPACT_FROM and self.cancelled * 2 > len(self.heap):
            for entry in self.heap:
                entry[2]._scheduled = not entry[2]._cancelled  # type: ignore[attr-defined]
            self.heap = [entry for entry in self.heap if not entry[2].cancelled()]
            heapq.heapify(self.heap)
            self.cancelled = 0
            self._arm()

    def _drop_cancelled(self) -> None:
        heap = self.heap
        while heap and heap[0][2].cancelled():
            handle = heapq.heappop(heap)[2]
            handle._scheduled = False  # type: ignore[attr-defined]
            self.cancelled -= 1

    def _arm(self) -> None:
        self._drop_cancelled()
        if not self.heap:
            self._timer.stop()
            return
        wait = self.heap[0][0] - time.monotonic()
        # Qt counts whole milliseconds; a timer that is early would only have to wait again.
        self._timer.start(min(2_000_000_000, max(0, int(wait * 1000 + 0.999))))

    def _due(self) -> None:
        now = time.monotonic()
        heap = self.heap
        while heap and (heap[0][0] <= now or heap[0][2].cancelled()):
            handle = heapq.heappop(heap)[2]
            handle._scheduled = False  # type: ignore[attr-defined]
            if handle.cancelled():
                self.cancelled -= 1
            else:
                self.add(handle)
        self._arm()

    # -- what qasync calls ------------------------------------------------------------------
    def add_callback(self, handle: asyncio.Handle, delay: float = 0) -> asyncio.Handle:
        """qasync's own way in; all paths that we know go through the methods above."""
        if isinstance(handle, asyncio.TimerHandle) and delay > 0:
            self.add_timer(handle)
        else:
            self.add(handle)
        return handle

    def stop(self) -> None:
        """The loop is closed: nothing runs any more."""
        self._timer.stop()
        if self._zero_timer:
            self.killTimer(self._zero_timer)
            self._zero_timer = 0
        self.ready.clear()
        self.heap.clear()
        self._inbox.clear()

    def set_debug(self, enabled: bool) -> None:
        """Nothing to switch; handles report slow callbacks themselves."""


class PumpEventLoop(qasync.QEventLoop):  # type: ignore[misc]
    """An asyncio loop on the Qt event loop of ``app``.

    Python signal handlers run at once while Qt waits (POSIX), so Ctrl+C needs no heartbeat.
    Blocking calls (``to_thread``) run on ordinary threads.
    """

    def __init__(self, app: QApplication) -> None:
        self._pump = _Pump(self)
        super().__init__(app)
        self._timer = self._pump
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="worker")
        self.set_default_executor(self._workers)
        self._old_wakeup = -1

    # -- scheduling -------------------------------------------------------------------------
    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run ``callback`` in the next turn."""
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._pump.add(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run ``callback`` in the loop's thread; may be called from any thread."""
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._pump.add_threadsafe(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` after ``delay`` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` when :meth:`time` reaches ``when``."""
        self._check_closed()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if when <= self.time():
            self._pump.add(handle)
        else:
            handle._scheduled = True  # type: ignore[attr-defined]
            self._pump.add_timer(handle)
        return handle

    def time(self) -> float:
        """Seconds of the loop's clock, which never jumps."""
        return time.monotonic()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if handle._scheduled:  # type: ignore[attr-defined]
            self._pump.note_cancelled()

    # -- running ----------------------------------------------------------------------------
    def _before_run_forever(self) -> None:
        super()._before_run_forever()
        if os.name == "posix" and threading.current_thread() is threading.main_thread():
            # Signals write to the loop's own socket, which Qt watches: Python wakes and runs
            # the handlers that were set with signal.signal().
            self._old_wakeup = signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)

    def _after_run_forever(self) -> None:
        if os.name == "posix" and threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._old_wakeup)
        super()._after_run_forever()

    def close(self) -> None:
        """Release everything. Threads that still work are not waited for."""
        if not self.is_closed() and not self.is_running():
            self._workers.shutdown(wait=False, cancel_futures=True)
        super().close()

    # -- figures ----------------------------------------------------------------------------
    @property
    def scheduled(self) -> int:
        """Entries in the timer heap, dead ones included; for tests and diagnostics."""
        return len(self._pump.heap)

    @property
    def queued(self) -> int:
        """Callbacks that wait for their turn."""
        return len(self._pump.ready)
