"""A clock that a test suite can move."""

from datetime import UTC, datetime

from poolhouse.flows.calls import Clock

# Dates outside of these are hard to put into a certificate or a cookie.
EARLIEST, LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000) for year in (2000, 2200))


class MovedClock:
    """The time of ``wall``, moved by ``offset`` milliseconds; it goes on from where it is put."""

    def __init__(self, wall: Clock) -> None:
        self.wall = wall
        self.offset = 0

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return self.wall.now() + self.offset

    def put(self, now: int) -> None:
        """Move to a time; raises ValueError for one that is out of reach."""
        self._move(now - self.wall.now())

    def advance(self, milliseconds: int) -> None:
        """Move on, or back, by exactly so much; raises ValueError for a time that is out of reach."""
        self._move(self.offset + milliseconds)

    def _move(self, offset: int) -> None:
        if not EARLIEST <= self.wall.now() + offset < LATEST:
            raise ValueError("the clock can be put to times of the years 2000 to 2199")
        self.offset = offset

    def put_back(self) -> None:
        """Return to the wall's time."""
        self.offset = 0


def written(now: int) -> str:
    """Return a time as RFC 3339 writes it."""
    return datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
