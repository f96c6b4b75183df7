"""Conversations, answers streamed from a model, tools and slash commands."""
