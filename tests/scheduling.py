"""Which worker runs which tests, where several run them (pytest-xdist).

A file's tests on one database stay together, so that what they share is made once; so do all that drive the browser.
SQLite comes before PostgreSQL: a worker has one server at a time, and another one for each change. What takes long
comes first, and what is quick last: it fills up the time while the last long ones end.

Marks of the kind ``xdist_group`` do not work with pytest 9.2 (pytest-xdist issue 1386).
"""

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Files and folders that take longer than the number of their tests tells, the longest first.
LONG = (
    "tests/browser/",
    "tests/wire/test_never_500.py",
    "tests/process/",
    "tests/security/test_leaks.py",
    "tests/clients/",
    "tests/matrix/test_nothing_stays.py",
    "tests/security/",
    "tests/operations/test_spec_paging.py",
)


def place_of(nodeid: str) -> tuple[int, int, str]:
    """Where a test is in the queue: those in the same place run together."""
    path, _, test = nodeid.partition("::")
    cases = test.partition("[")[2]
    database = next((number for number, name in enumerate(("sqlite", "postgres")) if name in cases), 2)
    rank = next((number for number, long in enumerate(LONG) if path.startswith(long)), len(LONG))
    return database, rank, LONG[0] if rank == 0 else path


class Scheduling(LoadScopeScheduling):
    """Sends all tests of a place to the same worker, and begins with the first places; in each with the most tests."""

    def _split_scope(self, nodeid: str) -> tuple[int, int, str]:
        return place_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        # Those that take as long stay as they were, the ones with the most tests first.
        self.workqueue.move_to_end(min(self.workqueue, key=lambda place: place[:2]), last=False)
        super()._assign_work_unit(node)
