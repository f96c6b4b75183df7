"""The deployment toolkit behind the `chatbot` command."""
