"""What every concern stands on: database, logs, metrics, middleware."""
