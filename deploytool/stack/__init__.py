"""What should run: the Compose-subset model in canonical units. Pure: no I/O, no clock, no Docker."""
