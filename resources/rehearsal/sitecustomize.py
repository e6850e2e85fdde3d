"""The clock of a rehearsal, in the process of a hosted script.

Python imports a module of this name by itself when it starts, before the script, where its folder
is in ``PYTHONPATH`` (documentation of the ``site`` module). ``OPENALGO_REHEARSAL`` has three
numbers: the machine's monotonic clock at one moment, the epoch seconds that the rehearsal has then,
and how many of its seconds go by in one. The script then reads the rehearsal's time, and what it
waits for takes as much less.

Network libraries keep the machine's time: a timeout of ten seconds is one of ten seconds. C
extensions that ask the system themselves (``pandas.Timestamp.now``) are not reached.
"""

import os

#: Whose waits and durations are those of the machine.
_REAL = frozenset(
    {
        *("openalgo", "httpx", "httpcore", "requests", "urllib3", "websocket", "websockets"),
        *("aiohttp", "anyio", "asyncio", "concurrent", "http", "selectors", "socket", "ssl"),
        *("socketserver", "subprocess", "urllib", "threading"),
    }
)


def _follow(anchor, epoch, pace):
    """Put the clock of this process on ``epoch`` seconds at ``anchor``, ``pace`` times as fast."""
    # What they took of the clock before stays the machine's.
    import asyncio
    import datetime
    import queue
    import sys
    import threading
    import time

    def real(seconds):
        """So many of the rehearsal's from now on; it begins at the anchor."""
        return seconds / pace + max(0.0, anchor - real_monotonic())

    def of_network():
        """Whether a library of the network asked."""
        name = sys._getframe(2).f_globals.get("__name__") or ""
        return name.partition(".")[0] in _REAL

    def divided(wait):
        """``wait`` with its only timeout, the last argument, in seconds of the rehearsal."""

        def waits(self, timeout=None):
            return wait(self, timeout if timeout is None or of_network() else real(timeout))

        return waits

    def divided_for(wait_for):
        def waits(self, predicate, timeout=None):
            kept = timeout is None or of_network()
            return wait_for(self, predicate, timeout if kept else real(timeout))

        return waits

    real_time, real_monotonic, real_sleep = time.time, time.monotonic, time.sleep
    real_async, real_local, real_utc = asyncio.sleep, time.localtime, time.gmtime
    real_format, real_text = time.strftime, time.asctime

    def now():  # it stands still until the moment of the anchor
        return epoch + max(0.0, real_monotonic() - anchor) * pace

    def monotonic():
        return real_monotonic() if of_network() else real_monotonic() * pace

    def sleep(seconds):
        real_sleep(seconds if of_network() else real(seconds))

    def async_sleep(delay, result=None):
        return real_async(delay if of_network() else real(delay), result)

    time.time = lambda: real_time() if of_network() else now()
    time.time_ns = lambda: int((real_time() if of_network() else now()) * 1e9)
    time.monotonic = monotonic
    time.monotonic_ns = lambda: int((real_monotonic() if of_network() else monotonic()) * 1e9)
    time.sleep = sleep
    time.localtime = lambda seconds=None: real_local(now() if seconds is None else seconds)
    time.gmtime = lambda seconds=None: real_utc(now() if seconds is None else seconds)
    time.strftime = lambda text, at=None: real_format(text, time.localtime() if at is None else at)
    time.asctime = lambda at=None: real_text(time.localtime() if at is None else at)
    time.ctime = lambda seconds=None: real_text(time.localtime(seconds))
    asyncio.sleep = asyncio.tasks.sleep = async_sleep
    threading.Event.wait = divided(threading.Event.wait)
    threading.Condition.wait = divided(threading.Condition.wait)
    threading.Condition.wait_for = divided_for(threading.Condition.wait_for)
    queue.time = lambda: real_monotonic() * pace
    _days(datetime, now)


def _days(datetime, now):
    """``datetime.datetime`` and ``datetime.date`` that know the rehearsal's day."""
    moment, day = datetime.datetime, datetime.date

    class Kind(type):
        """Values that C code made are of these kinds, too."""

        def __instancecheck__(cls, value):
            return isinstance(value, cls.__mro__[1])

        def __subclasscheck__(cls, other):
            return issubclass(other, cls.__mro__[1])

    class Moment(moment, metaclass=Kind):
        __slots__ = ()  # of the same size: pandas looks

        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(now(), tz)

        @classmethod
        def today(cls):
            return cls.fromtimestamp(now())

        @classmethod
        def utcnow(cls):
            return cls.fromtimestamp(now(), datetime.timezone.utc).replace(tzinfo=None)

    class Day(day, metaclass=Kind):
        __slots__ = ()

        @classmethod
        def today(cls):
            return cls.fromtimestamp(now())

    for kind, name in ((Moment, "datetime"), (Day, "date")):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
    _beside_extensions(datetime, {"datetime": (moment, Moment), "date": (day, Day)})


def _beside_extensions(datetime, kinds):
    """Put the new kinds into the module; what is compiled finds the old ones while it is loaded,
    because it takes their layout for its own (pandas ends the process otherwise)."""
    from importlib.machinery import ExtensionFileLoader

    def put(which):
        for name, both in kinds.items():
            setattr(datetime, name, both[which])

    def loading(load):
        def loads(self, *given):
            put(0)
            try:
                return load(self, *given)
            finally:
                put(1)

        return loads

    ExtensionFileLoader.create_module = loading(ExtensionFileLoader.create_module)
    ExtensionFileLoader.exec_module = loading(ExtensionFileLoader.exec_module)
    put(1)


if _told := os.environ.get("OPENALGO_REHEARSAL"):
    _follow(*map(float, _told.split()))
