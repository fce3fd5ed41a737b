"""Poolhouse for the tests of other projects: a server as a process of its own, and pytest fixtures around it.

It needs nothing of the server but what everybody sees, so it imports nothing else of this program.
"""

from poolhouse.testing.server import Outbox, Refused, Server

__all__ = ["Outbox", "Refused", "Server"]
