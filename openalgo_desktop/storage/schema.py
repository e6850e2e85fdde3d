"""Brings a database to the tables of this version, with Alembic.

Alembic is imported only when there is something to do: a start with a current database must be
quick.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from openalgo_desktop.core.errors import StorageError

log = logging.getLogger(__name__)

#: The newest revision in ``migrations/versions``; a test keeps it true.
HEAD = "0010"
MIGRATIONS = Path(__file__).with_name("migrations")


def current_revision(engine: Engine) -> str | None:
    """The revision that the database says it has; None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def bring_up_to_date(engine: Engine) -> None:
    """Run the missing migrations, all in one transaction; nothing when the database is current.

    Raises :class:`StorageError` for a database of a newer version of the program.
    """
    revision = current_revision(engine)
    if revision == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if revision is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(revision)
        except CommandError:
            raise StorageError(
                f"The database is of a newer version of this program (revision {revision}, this "
                f"version knows {HEAD}). Update the program or use another data folder."
            ) from None
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    log.info("database brought from revision %s to %s", revision or "none", HEAD)
