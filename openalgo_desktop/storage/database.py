"""The database: one writer thread, group commit, readers beside it.

Everything that waits to be written is one transaction with one durable commit (SQLite: WAL,
``synchronous=FULL``); callers are answered after it. A burst of orders in one pass of the loop
therefore costs one sync of the disk. Reads run on threads of their own and never wait for writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import StaticPool

from openalgo_desktop.config.private import open_private
from openalgo_desktop.core.errors import ConfigError, StorageError
from openalgo_desktop.storage.schema import bring_up_to_date
from openalgo_desktop.storage.tables import key_values, upsert

log = logging.getLogger(__name__)
T = TypeVar("T")

#: A unit of work. It may run twice (again alone, when another one of its group failed), so it
#: must do nothing but talk to the connection.
Work = Callable[[Connection], T]

#: How long a write waits for another process that holds SQLite's write lock; milliseconds.
BUSY_TIMEOUT_MS = 5000
READERS = 2
#: A database that could not store is tried again so often; seconds.
PROBE = 2.0
_STOP = None


class _Job:
    __slots__ = ("answer", "error", "future", "work")

    def __init__(self, work: Work[Any], future: asyncio.Future[Any] | None) -> None:
        self.work = work
        self.future = future
        self.answer: Any = None
        self.error: BaseException | None = None


class Database:
    """Runs units of work. ``write`` answers when the change is durable."""

    def __init__(self, url: str) -> None:
        try:
            self._url: URL = make_url(url)
        except ArgumentError:
            raise ConfigError("The database URL is not a SQLAlchemy URL.") from None
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self._memory = self._sqlite and self._url.database in (None, "", ":memory:")
        self._engine: Engine | None = None
        self._connection: Connection | None = None  # the only one that writes; the writer's own
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[_Job] = []
        self._handing: asyncio.Handle | None = None  # when they go to the writer
        self._due: float | None = None
        self._queue: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._awaited = 0
        self.commits = 0  # group commits done; for benches and tests
        self.well = True  # whether the last group could be committed
        #: Why nothing can be stored now (full, locked, read-only); empty when it can.
        self.trouble = ""
        #: Told, on the loop, when :attr:`trouble` comes or goes.
        self.on_trouble: Callable[[str], None] = lambda trouble: None
        self._probing: asyncio.TimerHandle | None = None

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Open, migrate if needed (in a thread), start the writer. Raises
        :class:`StorageError` with the reason."""
        self._loop = asyncio.get_running_loop()
        self._engine = await asyncio.to_thread(self._open)
        self._readers = ThreadPoolExecutor(1 if self._memory else READERS, "db-read")
        self._writer = threading.Thread(target=self._write_loop, name="db-write", daemon=True)
        self._writer.start()

    async def stop(self) -> None:
        """Write what waits, then close."""
        if self._writer is None:
            return
        if self._probing is not None:
            self._probing.cancel()
        self._hand_over()
        self._queue.put(_STOP)
        writer, self._writer = self._writer, None
        await asyncio.to_thread(writer.join)
        if self._readers is not None:
            await asyncio.to_thread(self._readers.shutdown)
        if self._engine is not None:
            await asyncio.to_thread(self._engine.dispose)
            self._engine = None

    def _open(self) -> Engine:
        try:
            engine = self._make_engine()
            bring_up_to_date(engine)
        except NoSuchModuleError:
            raise ConfigError(f"No database of kind {self._url.drivername!r} is known.") from None
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"The database URL needs the Python package {error.name!r}; install it beside "
                "this program."
            ) from None
        except SQLAlchemyError as error:
            raise self._unusable(error) from error
        return engine

    def _unusable(self, error: SQLAlchemyError) -> StorageError:
        """Names the file (a server without its password), the reason and what helps."""
        reason = _reason(error)
        what, help_ = self._url.render_as_string(hide_password=True), "Look at the database server."
        if self._sqlite:
            what = str(self._url.database)
            help_ = "Put a backup in its place, or rename it to start with an empty one."
        return StorageError(f"The database {what} cannot be used: {reason}. {help_}", detail=reason)

    def _make_engine(self) -> Engine:
        if not self._sqlite:
            return create_engine(self._url, pool_pre_ping=True)
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}}
        if self._memory:
            options["poolclass"] = StaticPool
            options["connect_args"]["check_same_thread"] = False
        elif self._url.database is not None:
            _create_private(self._url.database)
        engine = create_engine(self._url, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    # -- writing ----------------------------------------------------------------------------
    async def write(self, work: Work[T], *, patience: float = 0.0) -> T:
        """Run ``work`` in the next group; returns its value once that is committed. With
        ``patience`` it waits so many seconds for a group that somebody else is in a hurry for,
        and costs no commit of its own.

        Raises what ``work`` raised, or :class:`StorageError`. Cancelling the caller does not
        take the write back.
        """
        return await self.writing(work, patience=patience)

    def writing(self, work: Work[T], *, patience: float = 0.0) -> asyncio.Future[T]:
        """As :meth:`write`, for who goes on meanwhile; every error comes by the future."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            self._enqueue(_Job(work, future), patience)
        except StorageError as error:
            future.set_exception(error)
            return future
        if not patience:
            self._awaited += 1
            future.add_done_callback(self._served)
        return future

    def _served(self, _: asyncio.Future[Any]) -> None:
        self._awaited -= 1

    @property
    def hurried(self) -> bool:
        """Whether somebody waits for the disk and would be served by a quiet moment."""
        return self._awaited > 0

    @property
    def is_open(self) -> bool:
        """Whether it takes work."""
        return self._writer is not None

    async def rehearse(self, work: Work[Any]) -> None:
        """Run ``work`` and take it back: what it needs is compiled and read when it comes in
        earnest. A failure does not matter here and is not raised."""

        def run(connection: Connection) -> None:
            with contextlib.suppress(SQLAlchemyError), connection.begin_nested() as point:
                work(connection)
                point.rollback()

        with contextlib.suppress(StorageError):
            await self.write(run)

    def write_later(self, work: Work[Any]) -> None:
        """Queue ``work`` behind earlier writes; a failure is logged, not raised."""
        self._enqueue(_Job(work, None))

    async def flush(self) -> None:
        """Wait until everything queued so far is durable."""
        await self.write(lambda connection: None)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._writer is None:
            raise StorageError("The database is not open.")
        return self._loop

    def _enqueue(self, job: _Job, patience: float = 0.0) -> None:
        loop = self._running_loop()
        due = loop.time() + patience
        if self._due is None or due < self._due:
            self._put_off()
            # Handing over at the end of this pass of the loop makes a burst one transaction.
            self._due = due
            self._handing = (
                loop.call_later(patience, self._hand_over)
                if patience
                else loop.call_soon(self._hand_over)
            )
        self._waiting.append(job)

    def _put_off(self) -> None:
        if self._handing is not None:
            self._handing.cancel()
        self._handing = self._due = None

    def _hand_over(self) -> None:
        self._put_off()
        if self._waiting:
            self._queue.put(self._waiting)
            self._waiting = []

    def _write_loop(self) -> None:
        stopping = False
        while not stopping:
            jobs: list[_Job] = []
            batch = self._queue.get()
            while batch is not _STOP:
                jobs += batch
                try:
                    batch = self._queue.get_nowait()
                except queue.Empty:
                    break
            else:
                stopping = True
            if jobs:
                trouble = self._commit_group(jobs)
                self._tell(jobs, trouble)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit_group(self, jobs: list[_Job]) -> str:
        """Why none of them could be stored, where the database is at fault; else empty."""
        error = self._transaction(jobs)
        self.well = error is None
        if error is None:
            return ""
        if len(jobs) == 1 or not isinstance(error, _WorkFailed):
            for job in jobs:
                job.error = _storage_error(error)
            return _trouble(error)
        troubles = []
        for job in jobs:  # one of them is bad: each alone, so that it fails only itself
            alone = self._transaction([job])
            job.error = None if alone is None else _storage_error(alone)
            troubles.append("" if alone is None else _trouble(alone))
        return troubles[-1] if all(troubles) else ""

    def _transaction(self, jobs: list[_Job]) -> BaseException | None:
        assert self._engine is not None
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._connection.begin():
                for job in jobs:
                    try:
                        job.answer = job.work(self._connection)
                    except Exception as error:
                        raise _WorkFailed from error
        except Exception as error:
            return error
        self.commits += 1
        return None

    def _tell(self, jobs: list[_Job], trouble: str) -> None:
        for job in jobs:
            if job.error is not None and job.future is None:
                log.error("a queued write failed: %s", job.error)
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._answered, jobs, trouble)
        except RuntimeError:  # the loop is closed: nobody waits any more
            log.debug("%d writes finished after the loop was closed", len(jobs))

    def _answered(self, jobs: list[_Job], trouble: str) -> None:
        _answer(jobs)
        if bool(trouble) != bool(self.trouble):
            self.trouble = trouble
            self.on_trouble(trouble)
        if trouble and self._writer is not None and self._probing is None and self._loop:
            self._probing = self._loop.call_later(PROBE, self._probe)

    def _probe(self) -> None:
        """Nobody else may write for long, and a write of nothing succeeds on a full disk, too."""
        self._probing = None
        row = {"scope": "storage", "key": "probe", "value": "1"}
        if self._writer is not None:
            self.write_later(lambda link: upsert(link, key_values, ("scope", "key"), [row]))

    # -- reading ----------------------------------------------------------------------------
    async def read(self, work: Work[T]) -> T:
        """Run ``work`` on a reader thread; it sees everything committed so far."""
        if self._readers is None or self._engine is None:
            raise StorageError("The database is not open.")
        if self._memory:  # one connection only: the writer's
            return await self.write(work)
        return await self._running_loop().run_in_executor(self._readers, self._read, work)

    def _read(self, work: Work[T]) -> T:
        assert self._engine is not None
        try:
            with self._engine.connect() as connection:
                connection.execution_options(read_only=True)
                return work(connection)
        except SQLAlchemyError as error:
            raise _storage_error(error) from error


class _WorkFailed(Exception):
    """A unit of work failed (not the commit); the cause is what it raised."""


def _answer(jobs: list[_Job]) -> None:
    for job in jobs:
        future = job.future
        if future is None or future.done():
            continue
        if job.error is not None:
            future.set_exception(job.error)
        else:
            future.set_result(job.answer)


def _trouble(error: BaseException) -> str:
    """Why the database takes nothing (full, locked, read-only, damaged); empty when what was given
    to it is at fault."""
    if isinstance(error, _WorkFailed) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OperationalError) or type(error) is DatabaseError:
        return _reason(error)
    return ""


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _storage_error(error: BaseException) -> BaseException:
    """What the caller sees: own errors as they are, the database's as :class:`StorageError`."""
    if isinstance(error, _WorkFailed) and error.__cause__ is not None:
        error = error.__cause__
    if not isinstance(error, SQLAlchemyError):
        return error
    reason = _reason(error)
    return StorageError(f"The database did not store or read: {reason}", detail=reason)


def _create_private(path: str) -> None:
    """Make the file (its companions take its rights) readable by the user alone."""
    if path.startswith("file:"):
        return
    try:
        os.close(open_private(path, os.O_RDWR))
    except OSError as error:
        raise ConfigError(f"The database {path} cannot be opened: {error.strerror}.") from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that starts as a reader and then writes can fail at once with "locked";
    # taking the write lock first makes it wait for its turn instead.
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
