"""Bringing the database to this version's tables: at start-up, in one transaction, one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine

from service.records.engine import WRITES, boundary
from service.records.errors import RecordsUnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"


def migration_config() -> Config:
    """Alembic's settings, without a file of them."""
    config = Config()
    # Alembic reads "%" as the beginning of a reference.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine) -> None:
    """Run the migrations that the database lacks; a second process waits and finds nothing to do.

    Raises:
        RecordsUnavailableError: it cannot be read or written, or a newer version of this project made it.
    """
    config = migration_config()
    with boundary(), engine.execution_options(**{WRITES: True}).begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise RecordsUnavailableError(
                "The database of conversations was made by a newer version of clinsearch. Install that version, or "
                "name another database with CLINSEARCH_RECORDS_URL."
            ) from error
