"""The tables. Every change here needs a migration in ``migrations/versions`` (a test compares).

Times are whole microseconds since the epoch (UTC), so that they sort and work on any database.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import import_module
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from openalgo_desktop.core.clock import IST

metadata = MetaData()

#: SQLite counts up only columns of type INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")

key_values = Table(
    "key_values",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", String(100), nullable=False),
    Column("rights", String(16), nullable=False),
    Column("account_id", String(100), nullable=False),
    Column("lookup", String(64), nullable=False, unique=True),
    Column("hash", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("strategy", String(100), nullable=False, server_default=""),
    Column("mode", String(16), nullable=False, server_default=""),
    Column("per_minute", Integer, nullable=False, server_default="0"),
)

#: As text, because a partial index serves only the very same condition, without parameters.
OPEN_STATES = text("state IN ('intent', 'unknown')")

order_journal = Table(
    "order_journal",
    metadata,
    Column("tag", String(20), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account_id", String(100), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("source", String(100), nullable=False),
    Column("request", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("updated_at", BigInteger),
    Index("ix_order_journal_created_at", "created_at"),
    Index("ix_order_journal_order_id", "order_id"),
    # The open rows are few among years of settled ones.
    Index(
        "ix_order_journal_open",
        "created_at",
        sqlite_where=OPEN_STATES,  # and on PostgreSQL by the migration: the name here imports it
    ),
)

paper_rows = Table(
    "paper_rows",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account_id", String(100), nullable=False),
    Column("name", String(32), nullable=False),
    Column("key", String(150), nullable=False),
    Column("data", Text, nullable=False),
    UniqueConstraint("account_id", "name", "key", name="uq_paper_rows"),
)

_PENDING = text("status = 'pending'")

approvals = Table(
    "approvals",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("source", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("prices", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("result", Text, nullable=False),
    Index("ix_approvals_pending", "id", sqlite_where=_PENDING),
)

UNFINISHED = text("state IN ('waiting', 'sending')")

alerts = Table(
    "alerts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("source", String(100), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("began_at", BigInteger),
    Column("result", Text, nullable=False),
    Index("ix_alerts_received_at", "received_at"),
    Index("ix_alerts_unfinished", "id", sqlite_where=UNFINISHED),
)

audit_trail = Table(
    "audit_trail",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(100), nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("detail", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("account_id", String(100), nullable=False),
    Column("mode", String(16), nullable=False),
    Index("ix_audit_trail_at", "at"),
)

#: Executions of live accounts as they were heard of: a broker keeps those of today only.
executions = Table(
    "executions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account_id", String(100), nullable=False),
    Column("day", String(10), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("trade_id", String(100), nullable=False),
    Column("symbol", String(255), nullable=False),
    Column("exchange", String(16), nullable=False),
    Column("product", String(8), nullable=False),
    Column("action", String(8), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("price", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("strategy", String(255), nullable=False),
    Column("charges", String(32), nullable=False),
    Column("multiplier", String(32), nullable=False),
    Column("because", String(16), nullable=False),
    UniqueConstraint("account_id", "day", "order_id", "trade_id", name="uq_executions"),
    Index("ix_executions_at", "at"),
)

trade_notes = Table(
    "trade_notes",
    metadata,
    Column("trip_id", String(255), primary_key=True),
    Column("tags", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

OPEN_PLANS = text("state NOT IN ('done', 'cancelled')")

exit_plans = Table(
    "exit_plans",
    metadata,
    Column("plan_id", String(32), primary_key=True),
    Column("mode", String(16), nullable=False),
    Column("account_id", String(100), nullable=False),
    Column("state", String(16), nullable=False),
    Column("data", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("ix_exit_plans_open", "created_at", sqlite_where=OPEN_PLANS),
    Index("ix_exit_plans_updated_at", "updated_at"),
)

#: Made strategies. ``data`` is the definition; of a webhook token only its SHA-256 is kept.
strategies = Table(
    "strategies",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("data", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("current_run_id", BigInteger),
    Column("last_finalized_run", BigInteger),
    Column("live_enabled", Integer, nullable=False),
    Column("live_account", String(64), nullable=False, server_default=""),
    Column("webhook_locked", Integer, nullable=False),
    Column("token_digest", String(64), unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
)

OPEN_RUNS = text("stopped_at IS NULL")

#: ``data`` is the run, ``state`` the checkpoint of its rules.
strategy_runs = Table(
    "strategy_runs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("strategy_id", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("stopped_at", BigInteger),
    Column("data", Text, nullable=False),
    Column("state", Text, nullable=False),
    Index("ix_strategy_runs_strategy_id", "strategy_id", "id"),
    Index("ix_strategy_runs_open", "id", sqlite_where=OPEN_RUNS),
)

strategy_orders = Table(
    "strategy_orders",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("strategy_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Index("ix_strategy_orders_run_id", "run_id"),
    Index("ix_strategy_orders_strategy_id", "strategy_id"),
)

strategy_events = Table(
    "strategy_events",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("strategy_id", BigInteger, nullable=False),
    Column("run_id", BigInteger),
    Column("kind", String(40), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("data", Text, nullable=False),
    Index("ix_strategy_events_strategy_id", "strategy_id", "id"),
    Index("ix_strategy_events_run_id", "run_id"),
)

#: The log of webhooks. ``first_order`` to ``last_order`` are rows of :data:`alerts`.
webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("received_at", BigInteger, nullable=False),
    Column("strategy", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("action", String(32), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("client", String(64), nullable=False),
    Column("said", Text, nullable=False),
    Column("result", String(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("run_id", BigInteger),
    Column("first_order", BigInteger),
    Column("last_order", BigInteger),
    Index("ix_webhook_events_strategy", "strategy", "id"),
)

#: Dialects that have ``INSERT ... ON CONFLICT``.
_UPSERTS = ("sqlite", "postgresql")


def upsert(
    connection: Connection, table: Table, keys: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    """Insert ``rows``; one that exists (same values in the columns ``keys``) is replaced."""
    if not rows:
        return
    dialect = connection.dialect.name
    if dialect not in _UPSERTS:  # any other database: two plain statements do the same
        for row in rows:
            connection.execute(table.delete().where(*(table.c[key] == row[key] for key in keys)))
        connection.execute(table.insert(), rows)
        return
    connection.execute(_upsert(dialect, table, keys, tuple(rows[0])), rows)


@lru_cache(64)
def _upsert(dialect: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    """Made once: an order of the sandbox writes some, and making one is work."""
    # of the one dialect that is in use
    statement = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    values = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=values)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """An aware time as stored."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """A stored time as an aware datetime in IST."""
    return (_EPOCH + value * _MICROSECOND).astimezone(IST)
