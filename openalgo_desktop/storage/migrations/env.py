"""Alembic's entry: runs on the connection that ``schema.bring_up_to_date`` hands over."""

from __future__ import annotations

from alembic import context

from openalgo_desktop.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
