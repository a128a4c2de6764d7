"""Alembic's environment: the application's own engine and metadata."""

from __future__ import annotations

from alembic import context
from flask import current_app

from portal.extensions import db

config = context.config
batch = {"render_as_batch": True}  # SQLite changes a table by making it anew


def run_offline() -> None:
    """Print the statements instead of running them: flask db upgrade --sql."""
    address = db.engine.url.render_as_string(hide_password=False)
    context.configure(url=address, target_metadata=db.metadata, literal_binds=True, **batch)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    arguments = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=db.metadata, **{**arguments, **batch})
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
