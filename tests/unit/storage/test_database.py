"""The database: group commit, errors of one job, migrations, what a kill leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from openalgo_desktop.core.errors import ConfigError, StorageError
from openalgo_desktop.storage import database as database_module
from openalgo_desktop.storage import schema
from openalgo_desktop.storage import state as state_module
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.storage.tables import key_values, metadata
from tests.waiting import until


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'test.db'}"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(url(tmp_path))
    await database.start()
    yield database
    await database.stop()


def insert(key: str):
    row = {"scope": "s", "key": key, "value": "1"}
    return lambda connection: connection.execute(key_values.insert(), row).rowcount


async def keys(db: Database) -> list[str]:
    return sorted(await KeyValueStore(db).all("s"))


async def test_a_burst_is_one_commit(db: Database):
    before = db.commits
    await asyncio.gather(*(db.write(insert(f"k{i:03}")) for i in range(300)))
    assert db.commits - before == 1
    assert len(await keys(db)) == 300


async def test_it_says_when_somebody_is_in_a_hurry(db: Database):
    assert not db.hurried
    patient = asyncio.create_task(db.write(insert("a"), patience=0.01))
    await asyncio.sleep(0)
    assert not db.hurried
    urgent = asyncio.create_task(db.write(insert("b")))
    failing = asyncio.create_task(db.write(lambda connection: 1 // 0))
    await asyncio.sleep(0)
    assert db.hurried
    await asyncio.gather(patient, urgent, failing, return_exceptions=True)
    assert not db.hurried


async def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    junk = tmp_path / "test.db"
    junk.write_bytes(b"no database, and long enough to be looked at; " * 90)
    before = junk.read_bytes()
    with pytest.raises(StorageError, match="cannot be used: file is not a database") as told:
        await Database(f"sqlite:///{junk}").start()
    assert str(junk) in told.value.message
    assert junk.read_bytes() == before


async def test_a_closed_database_tells_by_the_future(tmp_path: Path):
    closed = Database(url(tmp_path)).writing(insert("a"))
    with pytest.raises(StorageError, match="not open"):
        await closed


async def test_a_bad_job_fails_alone(db: Database):
    answers = await asyncio.gather(
        db.write(insert("a")),
        db.write(lambda connection: connection.execute(text("INSERT INTO nowhere VALUES (1)"))),
        db.write(lambda connection: 1 // 0),
        db.write(insert("a")),
        db.write(insert("b")),
        return_exceptions=True,
    )
    assert answers[0] == answers[4] == 1
    assert isinstance(answers[1], StorageError) and "nowhere" in answers[1].message
    assert isinstance(answers[2], ZeroDivisionError)
    assert isinstance(answers[3], StorageError) and "UNIQUE" in answers[3].message
    assert await keys(db) == ["a", "b"]


async def test_answered_means_visible_to_another_process(db: Database, tmp_path: Path):
    await db.write(insert("seen"))
    with sqlite3.connect(tmp_path / "test.db") as other:
        assert other.execute("SELECT key FROM key_values").fetchall() == [("seen",)]


async def test_commits_are_durable_ones(db: Database):
    def pragmas(connection):
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]

    assert await db.write(pragmas) == ["wal", 2]  # 2 = FULL


async def test_a_cancelled_caller_does_not_take_the_write_back(db: Database):
    task = asyncio.create_task(db.write(insert("kept")))
    await asyncio.sleep(0)
    task.cancel()
    await db.flush()
    assert await keys(db) == ["kept"]


async def test_stop_writes_what_waits(tmp_path: Path):
    database = Database(url(tmp_path))
    await database.start()
    for i in range(50):
        database.write_later(insert(f"k{i}"))
    await database.stop()
    with pytest.raises(StorageError, match="not open"):
        await database.write(insert("late"))
    again = Database(url(tmp_path))
    await again.start()
    assert len(await keys(again)) == 50
    await again.stop()


async def test_a_locked_database_is_an_error_and_then_works_again(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await db.read(lambda connection: connection.execute(text("SELECT 1")).scalar())  # reads go on
    waiting = asyncio.create_task(db.write(insert("a")))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    assert await waiting == 1


async def test_a_full_disk_is_a_clear_error_and_nothing_is_half_written(db: Database):
    await db.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 40"))
    big = {"scope": "s", "key": "big", "value": "x" * 1_000_000}
    with pytest.raises(StorageError, match="full"):
        await db.write(lambda connection: connection.execute(key_values.insert(), big).rowcount)
    await db.write(insert("small"))
    assert await keys(db) == ["small"]


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ("nonsense", "not a SQLAlchemy URL"),
        ("frobnicate://x/y", "frobnicate"),
        ("sqlite:////nonexistent-folder/x.db", "cannot be opened"),
        ("mysql+mysqldb://u:hunter2@127.0.0.1/x", "MySQLdb"),
    ],
)
async def test_a_bad_url_names_the_fix_and_no_password(bad: str, match: str):
    with pytest.raises(ConfigError, match=match) as caught:
        await Database(bad).start()
    assert "hunter2" not in str(caught.value)


async def test_memory_database_works():
    database = Database("sqlite://")
    await database.start()
    await database.write(insert("a"))
    assert await keys(database) == ["a"]
    await database.stop()


# -- migrations ----------------------------------------------------------------------------------


def test_head_is_the_newest_migration():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(schema.MIGRATIONS)).get_heads() == [schema.HEAD]


def test_migrations_make_exactly_the_tables(tmp_path: Path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = create_engine(url(tmp_path))
    schema.bring_up_to_date(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert schema.current_revision(engine) == schema.HEAD
    engine.dispose()


def test_migrations_go_down_and_up_again(tmp_path: Path):
    from alembic import command
    from alembic.config import Config

    engine = create_engine(url(tmp_path))
    schema.bring_up_to_date(engine)
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert schema.current_revision(engine) is None
    schema.bring_up_to_date(engine)
    assert schema.current_revision(engine) == schema.HEAD
    engine.dispose()


async def test_a_newer_database_is_refused(db: Database, tmp_path: Path):
    await db.write(
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num='9999'"))
    )
    with pytest.raises(StorageError, match="newer version"):
        await Database(url(tmp_path)).start()


def test_start_with_a_current_database_does_not_import_alembic(tmp_path: Path):
    code = (
        "import asyncio, sys\n"
        "from openalgo_desktop.storage.database import Database\n"
        "async def main():\n"
        "    db = Database(sys.argv[1]); await db.start(); await db.stop()\n"
        "asyncio.run(main()); print('alembic' in sys.modules)"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", code, url(tmp_path)], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert answers == ["True", "False"]


# -- kill ----------------------------------------------------------------------------------------

WRITER = """
import asyncio, sys
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.state import KeyValueStore
async def main():
    db = Database(sys.argv[1])
    await db.start()
    state = KeyValueStore(db)
    number = 0
    while True:
        await asyncio.gather(*(state.put("s", f"{number + i:08}", i) for i in range(5)))
        number += 5
        print(number, flush=True)
asyncio.run(main())
"""


def test_everything_answered_survives_kill_9(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, url(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(30):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    answered = int(rest[-1]) if rest else 150
    with sqlite3.connect(tmp_path / "test.db") as connection:
        stored = [row[0] for row in connection.execute("SELECT key FROM key_values ORDER BY key")]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(stored) >= answered
    assert stored == [f"{i:08}" for i in range(len(stored))]
    assert len(stored) % 5 == 0, "a group was torn"


# -- another database ----------------------------------------------------------------------------


def test_tables_and_statements_are_fit_for_postgresql():
    """The program was run on a PostgreSQL server by hand (docs/reliability.md); this keeps what
    would break there without one."""
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable

    from openalgo_desktop.storage import audit
    from openalgo_desktop.storage.schema import MIGRATIONS

    dialect = postgresql.dialect()
    texts = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    assert any("BIGSERIAL" in text for text in texts), "ids count up"
    partial = [
        index.name
        for table in metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    ]
    assert len(partial) == 5, "open journal rows, plans, runs, pending approvals, unfinished alerts"
    migrations = "".join(p.read_text() for p in (MIGRATIONS / "versions").glob("*.py"))
    assert migrations.count("postgresql_where=") == len(partial)
    search = audit._query("a%b", "window", None, None)
    assert "ILIKE" in str(search.compile(dialect=dialect))


async def test_a_database_without_upserts_gets_two_plain_statements(
    db: Database, monkeypatch: pytest.MonkeyPatch
):
    from openalgo_desktop.storage import tables

    monkeypatch.setattr(tables, "_UPSERTS", ())
    state = KeyValueStore(db)
    for value in (1, 2):
        await state.put("s", "k", value)
    assert await state.all("s") == {"k": 2}


async def test_a_patient_write_shares_the_commit_of_the_next_one(db: Database):
    before = db.commits
    patient = asyncio.ensure_future(db.write(insert("patient"), patience=60))
    await asyncio.sleep(0)
    assert await keys(db) == []
    await db.write(insert("hurried"))
    await patient
    assert db.commits - before == 1
    assert await keys(db) == ["hurried", "patient"]


async def test_a_patient_write_waits_no_longer_than_it_said(db: Database):
    long = asyncio.ensure_future(db.write(insert("long"), patience=60))
    await asyncio.sleep(0)
    await db.write(insert("short"), patience=0.001)
    await long
    assert await keys(db) == ["long", "short"]


async def test_closing_does_not_wait_for_the_patient(tmp_path: Path):
    db = Database(url(tmp_path))
    await db.start()
    patient = asyncio.ensure_future(db.write(insert("patient"), patience=60))
    await asyncio.sleep(0)
    await db.stop()
    await patient
    await db.start()
    assert await keys(db) == ["patient"]
    await db.stop()


async def test_whether_the_last_group_could_be_stored(db: Database):
    assert db.well
    with pytest.raises(StorageError):
        await db.write(
            lambda connection: connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        )
    assert not db.well
    await db.write(insert("a"))
    assert db.well


async def test_that_nothing_can_be_stored_is_told_and_so_is_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Also that it can be again, though nobody writes."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(database_module, "PROBE", 0.05)
    db, told = Database(url(tmp_path)), []
    db.on_trouble = told.append
    await db.start()
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for name in "ab":
        with pytest.raises(StorageError, match="locked"):
            await db.write(insert(name))
    assert told == ["database is locked"] == [db.trouble]
    other.execute("COMMIT")
    other.close()
    await until(lambda: not db.trouble, "the database is well again")
    assert told == ["database is locked", ""]
    await db.stop()


async def test_a_bad_write_is_no_trouble_of_the_disk(db: Database):
    with pytest.raises(ZeroDivisionError):
        await db.write(lambda connection: 1 // 0)
    await db.write(insert("a"))
    with pytest.raises(StorageError, match="UNIQUE"):
        await db.write(insert("a"))
    assert db.trouble == ""


async def test_what_nobody_waits_for_comes_to_the_disk_when_it_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A setting, the mode, limits of the risk: the newest value of each."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(state_module, "RETRY", 0.02)
    db = Database(url(tmp_path))
    await db.start()
    store = KeyValueStore(db)
    put, forget = store.put_later("s"), store.forget_later("s")
    put("gone", 1)
    await db.flush()
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    put("limit", 1)
    await until(lambda: db.trouble, "the refusal")
    put("limit", 2)
    forget("gone")
    with pytest.raises(StorageError):
        await store.put("s", "limit", 3)  # told as failed: what was accepted before counts on
    put("last", 4)
    other.execute("COMMIT")
    other.close()
    await until(lambda: not store._later, "all of it")
    assert await store.all("s") == {"last": 4, "limit": 2}
    assert not store._replaced
    put("last", 6)
    await store.put("s", "last", 7)
    await until(lambda: not store._later and not store._replaced, "the newer one")
    assert await store.all("s") == {"last": 7, "limit": 2}
    await db.stop()
