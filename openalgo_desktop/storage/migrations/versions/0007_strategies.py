"""Made strategies with their runs, orders and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "strategies",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("current_run_id", sa.BigInteger),
        sa.Column("last_finalized_run", sa.BigInteger),
        sa.Column("live_enabled", sa.Integer, nullable=False),
        sa.Column("webhook_locked", sa.Integer, nullable=False),
        sa.Column("token_digest", sa.String(64), unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
    )
    op.create_table(
        "strategy_runs",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("strategy_id", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("stopped_at", sa.BigInteger),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_index("ix_strategy_runs_strategy_id", "strategy_runs", ["strategy_id", "id"])
    is_open = sa.text("stopped_at IS NULL")
    op.create_index(
        "ix_strategy_runs_open",
        "strategy_runs",
        ["id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "strategy_orders",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("strategy_id", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("ix_strategy_orders_run_id", "strategy_orders", ["run_id"])
    op.create_index("ix_strategy_orders_strategy_id", "strategy_orders", ["strategy_id"])
    op.create_table(
        "strategy_events",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("strategy_id", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.BigInteger),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("ix_strategy_events_strategy_id", "strategy_events", ["strategy_id", "id"])
    op.create_index("ix_strategy_events_run_id", "strategy_events", ["run_id"])


def downgrade() -> None:
    for table in ("strategy_events", "strategy_orders", "strategy_runs", "strategies"):
        op.drop_table(table)
