"""The chatbot's backend: accounts, tasks and streamed chat behind one FastAPI application."""

__version__ = "0.1.0"
