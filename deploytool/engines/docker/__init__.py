"""The Docker Engine, over its HTTP API (1.41 and later)."""
