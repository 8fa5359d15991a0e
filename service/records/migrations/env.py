"""Alembic's entry: runs migrations on the connection that `service.records.migrating` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from service.records.tables import Base

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
# The caller's transaction holds it all: a database is migrated whole or not at all, SQLite too.
context.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=True, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
