"""The account in which a made strategy may trade live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "strategies", sa.Column("live_account", sa.String(64), nullable=False, server_default="")
    )
    # nobody knows for which account the earlier ones were meant: they are asked for again
    op.execute("UPDATE strategies SET live_enabled = 0")


def downgrade() -> None:
    op.drop_column("strategies", "live_account")
