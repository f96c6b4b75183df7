"""The deployment toolkit behind the `chatbot` command."""

__version__ = "0.1.0"
