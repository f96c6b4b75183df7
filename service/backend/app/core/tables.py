"""All tables. Text that is compared or sorted uses code point order on both databases."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def ordered(length: int) -> String:
    """Text in code point order; PostgreSQL would otherwise sort by its own locale."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _owner() -> Column[str]:
    return Column("user_id", ordered(22), ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


users = Table(
    "users",
    metadata,
    Column("id", ordered(22), primary_key=True),
    Column("email", ordered(254), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

# One sign-in on one device; its refresh tokens replace one another.
sessions = Table(
    "sessions",
    metadata,
    Column("id", ordered(22), primary_key=True),
    _owner(),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Index("ix_sessions_user_id", "user_id"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", ordered(64), primary_key=True),
    Column("session_id", ordered(22), ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Index("ix_refresh_tokens_session_id", "session_id"),
)

throttles = Table(
    "throttles",
    metadata,
    Column("name", ordered(80), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("window_ms", BigInteger, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", ordered(22), primary_key=True),
    _owner(),
    Column("title", String(200), nullable=False),
    Column("notes", Text, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("done_ms", BigInteger),
    Column("due_on", ordered(10)),
    Column("tags", Text, nullable=False),  # a JSON array of strings
    Column("position", Float(53), nullable=False),
    Column("version", Integer, nullable=False),
    Column("title_key", ordered(400), nullable=False),  # casefolded, for sorting
    Column("search_key", Text, nullable=False),  # casefolded title and notes, for searching
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("ix_tasks_user_id_position", "user_id", "position", "id"),
    Index("ix_tasks_user_id_created_ms", "user_id", "created_ms", "id"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", ordered(22), primary_key=True),
    _owner(),
    Column("title", String(200), nullable=False),
    Column("search_key", ordered(400), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("ix_conversations_user_id_updated_ms", "user_id", "updated_ms", "id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", ordered(22), primary_key=True),
    Column(
        "conversation_id", ordered(22), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False
    ),
    Column("sequence", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("parts", Text, nullable=False),  # a JSON array, see app.chat.schemas
    Column("model", String(200)),
    Column("error", Text),  # a JSON object {code, message}
    Column("finish_reason", String(16)),
    Column("prompt_tokens", Integer),  # as the provider reported them
    Column("completion_tokens", Integer),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),  # while streaming: the last sign of life
    UniqueConstraint("conversation_id", "sequence", name="uq_messages_conversation_id_sequence"),
)

usage = Table(
    "usage",
    metadata,
    Column("user_id", ordered(22), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("month", ordered(7), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cost_microdollars", BigInteger, nullable=False),
)
