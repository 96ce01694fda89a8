"""What a review keeps of the runs that it was opened on, and the sign-ins that were ended by hand.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Adds the column and the table; of an older review the diagnosis tells how many rows each run had."""
    op.add_column("snapshots", sa.Column("evidence", sa.Text, nullable=True))
    op.create_table(
        "sign_outs",
        sa.Column("mark", sa.String(64), primary_key=True),
        sa.Column("ends_at", sa.Float(53), nullable=False, index=True),
    )
