"""Build contexts, BuildKit builds, content addresses and base images."""
