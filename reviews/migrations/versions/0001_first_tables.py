"""First tables: people, reviews, items, decisions, comments, and the audit that cannot be changed.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

KEEP_POSTGRESQL = """
CREATE FUNCTION steadystep_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% can only grow', TG_TABLE_NAME; END $$
"""


def key() -> sa.Column:
    """Makes the id column."""
    return sa.Column("id", sa.String(64), primary_key=True)


def refer(name: str, table: str, nullable: bool = False, **options) -> sa.Column:
    """Makes a column that refers to another table."""
    return sa.Column(name, sa.String(64), sa.ForeignKey(f"{table}.id"), nullable=nullable, **options)


def column(name: str, kind: sa.types.TypeEngine, nullable: bool = False) -> sa.Column:
    """Makes any other column."""
    return sa.Column(name, kind, nullable=nullable)


def upgrade() -> None:
    """Makes the tables."""
    make_reviews()
    make_agenda()
    make_decisions()
    make_comments()
    make_audit()
    for table in ("audit", "comment_edits"):
        make_append_only(table)


def make_reviews() -> None:
    """Makes people and reviews."""
    op.create_table(
        "people",
        key(),
        sa.Column("subject", sa.Text, nullable=False, unique=True),
        column("name", sa.Text()),
        column("role", sa.String(16), nullable=True),
        column("added_at", sa.String(32)),
    )
    op.create_table(
        "reviews",
        key(),
        sa.Column("study", sa.Text, nullable=False, index=True),
        column("fingerprint", sa.Text()),
        column("title", sa.Text()),
        column("state", sa.String(16)),
        column("words", sa.Text()),
        refer("opened_by_id", "people"),
        column("opened_at", sa.String(32)),
        column("closed_at", sa.String(32), nullable=True),
        column("version", sa.Integer()),
    )


def make_agenda() -> None:
    """Makes what a review is opened on: the diagnosis and the points made of it."""
    op.create_table(
        "snapshots",
        refer("review_id", "reviews", primary_key=True),
        column("diagnosis", sa.Text()),
        column("digest", sa.String(64)),
    )
    op.create_table(
        "items",
        key(),
        refer("review_id", "reviews"),
        column("position", sa.Integer()),
        column("kind", sa.String(16)),
        column("code", sa.String(64)),
        column("weight", sa.Integer()),
        column("content", sa.Text()),
        column("num_decisions", sa.Integer()),
        column("version", sa.Integer()),
        sa.UniqueConstraint("review_id", "position"),
    )


def make_decisions() -> None:
    """Makes decisions."""
    op.create_table(
        "decisions",
        key(),
        refer("review_id", "reviews", index=True),
        refer("item_id", "items"),
        column("number", sa.Integer()),
        column("choice", sa.String(16)),
        column("fix", sa.String(64), nullable=True),
        column("reason", sa.Text()),
        refer("owner_id", "people"),
        refer("decided_by_id", "people"),
        column("decided_at", sa.String(32)),
        column("outcome", sa.String(16), nullable=True),
        column("proof_kind", sa.String(16), nullable=True),
        column("proof", sa.Text(), nullable=True),
        column("version", sa.Integer()),
        sa.UniqueConstraint("item_id", "number"),
    )


def make_comments() -> None:
    """Makes comments, their earlier texts and mentions."""
    op.create_table(
        "comments",
        key(),
        refer("review_id", "reviews", index=True),
        refer("parent_id", "comments", nullable=True),
        refer("author_id", "people"),
        column("anchor_kind", sa.String(16)),
        column("anchor_name", sa.Text(), nullable=True),
        column("first_step", sa.BigInteger(), nullable=True),
        column("last_step", sa.BigInteger(), nullable=True),
        column("text", sa.Text()),
        column("is_draft", sa.Boolean()),
        column("written_at", sa.String(32)),
        column("edited_at", sa.String(32), nullable=True),
        column("resolved_at", sa.String(32), nullable=True),
        refer("resolved_by_id", "people", nullable=True),
        column("version", sa.Integer()),
    )
    op.create_table(
        "comment_edits",
        key(),
        refer("comment_id", "comments", index=True),
        column("text", sa.Text()),
        column("replaced_at", sa.String(32)),
    )
    op.create_table(
        "mentions",
        refer("comment_id", "comments", primary_key=True),
        refer("person_id", "people", primary_key=True, index=True),
    )


def make_audit() -> None:
    """Makes the record of changes."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "audit",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        column("at", sa.String(32)),
        column("person_id", sa.String(64)),
        column("person_name", sa.Text()),
        sa.Column("review_id", sa.String(64), nullable=True, index=True),
        column("action", sa.String(16)),
        column("kind", sa.String(32)),
        column("object_id", sa.Text()),
        column("before", sa.Text(), nullable=True),
        column("after", sa.Text(), nullable=True),
        column("is_private", sa.Boolean()),
        sqlite_autoincrement=True,
    )


def make_append_only(table: str) -> None:
    """Has the database refuse to change or delete a row of a table."""
    if op.get_bind().dialect.name == "postgresql":
        if table == "audit":
            op.execute(KEEP_POSTGRESQL)
        events = "BEFORE UPDATE OR DELETE OR TRUNCATE"
        op.execute(f"CREATE TRIGGER keep {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION steadystep_keep()")
        return
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} can only grow'); END"
    for action in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_keep_{action.lower()} BEFORE {action} ON {table} {refuse}")
    # INSERT OR REPLACE deletes without asking the trigger above
    taken = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
    op.execute(f"CREATE TRIGGER {table}_keep_insert BEFORE INSERT ON {table} WHEN {taken} {refuse}")
