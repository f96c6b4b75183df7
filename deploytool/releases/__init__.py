"""Releases: bundles that ran, kept with the engine and not on somebody's laptop."""
