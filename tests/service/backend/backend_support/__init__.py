"""What the backend's tests share: a scripted provider, servers as processes, a PostgreSQL of their own."""
