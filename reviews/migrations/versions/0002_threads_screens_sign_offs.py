"""Threads that are found in one look, the screen of a presenter, and sign-offs.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"

FIND_THREADS = """
WITH RECURSIVE walked(id, thread_id) AS (
    SELECT id, id FROM comments WHERE parent_id IS NULL
    UNION ALL SELECT comments.id, walked.thread_id FROM comments JOIN walked ON comments.parent_id = walked.id
)
UPDATE comments SET thread_id = (SELECT walked.thread_id FROM walked WHERE walked.id = comments.id)
"""
FIND_PRESENTERS = """
INSERT INTO screens (review_id, presenter_id, item_id, shown_at)
SELECT reviews.id, opened_by_id, items.id, opened_at
FROM reviews LEFT JOIN items ON items.review_id = reviews.id AND items.position = 1
"""


def refer(name: str, table: str, nullable: bool = False, **options) -> sa.Column:
    """Makes a column that refers to another table."""
    return sa.Column(name, sa.String(64), sa.ForeignKey(f"{table}.id"), nullable=nullable, **options)


def upgrade() -> None:
    """Makes the tables; a review that is open is presented by who opened it."""
    op.add_column("comments", sa.Column("thread_id", sa.String(64), nullable=False, server_default=""))
    op.execute(FIND_THREADS)
    op.drop_index("ix_comments_review_id", "comments")
    op.create_index("ix_comments_review_id_thread_id", "comments", ["review_id", "thread_id"])
    op.create_table(
        "screens",
        refer("review_id", "reviews", primary_key=True),
        refer("presenter_id", "people"),
        refer("item_id", "items", nullable=True),
        sa.Column("shown_at", sa.String(32), nullable=False),
    )
    op.execute(FIND_PRESENTERS)
    op.create_table(
        "sign_offs",
        refer("review_id", "reviews", primary_key=True),
        refer("person_id", "people", primary_key=True),
        sa.Column("signed_at", sa.String(32), nullable=False),
        sa.Column("decisions", sa.String(64), nullable=False),
    )
