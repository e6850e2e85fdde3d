"""Exit plans and local triggers that our core watches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exit_plans",
        sa.Column("plan_id", sa.String(32), primary_key=True),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    is_open = sa.text("state NOT IN ('done', 'cancelled')")
    op.create_index(
        "ix_exit_plans_open",
        "exit_plans",
        ["created_at"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_exit_plans_updated_at", "exit_plans", ["updated_at"])


def downgrade() -> None:
    op.drop_table("exit_plans")
