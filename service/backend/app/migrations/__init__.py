"""Alembic migrations; run them with `python -m app.migrate`."""
