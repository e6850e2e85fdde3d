"""API keys that are bound to a strategy and a mode, with a limit on orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "api_keys", sa.Column("strategy", sa.String(100), nullable=False, server_default="")
    )
    op.add_column("api_keys", sa.Column("mode", sa.String(16), nullable=False, server_default=""))
    op.add_column(
        "api_keys", sa.Column("per_minute", sa.Integer, nullable=False, server_default="0")
    )


def downgrade() -> None:
    for name in ("strategy", "mode", "per_minute"):
        op.drop_column("api_keys", name)
