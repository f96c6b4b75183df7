"""A user's task list."""
