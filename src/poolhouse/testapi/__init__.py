"""``/test/…``: what test suites do to a server of their own. On the loopback only, and only where the settings say so.

Nothing else of the program knows of it: ``TestApi`` stands in front of the router and answers in its place.
It keeps its state in memory, so it serves an installation of one process.
"""

from poolhouse.testapi.clock import MovedClock
from poolhouse.testapi.endpoint import TestApi

__all__ = ["MovedClock", "TestApi"]
