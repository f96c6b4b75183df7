"""An engine in memory, for tests of all that stands above engines. It passes the same contract suite."""

from deploytool.engines.fake.engine import FakeEngine

__all__ = ["FakeEngine"]
