"""Alembic's entry point: uses the connection that app.migrate holds, inside its transaction and lock."""

from __future__ import annotations

from alembic import context

from app.core.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction spans all migrations
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
