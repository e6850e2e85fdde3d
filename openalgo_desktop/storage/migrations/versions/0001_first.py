"""The first tables: state, API keys, order journal, paper accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    identity = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "key_values",
        sa.Column("scope", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", identity, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("rights", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("lookup", sa.String(64), nullable=False, unique=True),
        sa.Column("hash", sa.String(255), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "order_journal",
        sa.Column("tag", sa.String(20), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger),
    )
    op.create_index("ix_order_journal_created_at", "order_journal", ["created_at"])
    open_rows = sa.text("state IN ('intent', 'unknown')")
    op.create_index(
        "ix_order_journal_open",
        "order_journal",
        ["created_at"],
        sqlite_where=open_rows,
        postgresql_where=open_rows,
    )
    op.create_table(
        "paper_rows",
        sa.Column("id", identity, primary_key=True, autoincrement=True),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("key", sa.String(150), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.UniqueConstraint("account_id", "name", "key", name="uq_paper_rows"),
    )


def downgrade() -> None:
    for table in ("paper_rows", "order_journal", "api_keys", "key_values"):
        op.drop_table(table)
