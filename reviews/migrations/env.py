"""What Alembic runs: reviews/migrating.py gives it the connection and holds the lock."""

from alembic import context

from reviews.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
