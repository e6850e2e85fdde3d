"""Executions of live accounts, and what the trader noted of trades."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "executions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("trade_id", sa.String(100), nullable=False),
        sa.Column("symbol", sa.String(255), nullable=False),
        sa.Column("exchange", sa.String(16), nullable=False),
        sa.Column("product", sa.String(8), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("price", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("strategy", sa.String(255), nullable=False),
        sa.Column("charges", sa.String(32), nullable=False),
        sa.Column("multiplier", sa.String(32), nullable=False),
        sa.Column("because", sa.String(16), nullable=False),
        sa.UniqueConstraint("account_id", "day", "order_id", "trade_id", name="uq_executions"),
    )
    op.create_index("ix_executions_at", "executions", ["at"])
    op.create_table(
        "trade_notes",
        sa.Column("trip_id", sa.String(255), primary_key=True),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("trade_notes")
    op.drop_table("executions")
