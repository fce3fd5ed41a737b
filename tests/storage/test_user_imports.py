"""User import jobs, their turn, their files and logs, and many users at once."""

import asyncio
import random
import threading

import pytest
from msgspec.structs import replace

from poolhouse.core.import_csv import Taken
from poolhouse.core.import_jobs import EXPIRED, EXPIRY, LogEntry, Outcome, Status
from poolhouse.model import ConcurrentModificationException, PasswordHashingAlgorithmType
from poolhouse.storage import open_store
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import NOW, POOL, import_job, names, newcomer, pool, user, with_pool

OTHER = "us-east-1_other"


@pytest.fixture
def store(store):
    with_pool(store)
    return store


def count(store, table):
    return store.read(lambda tx: tx.users._sql.row(f"SELECT COUNT(*) FROM {table}"))[0]


def sweep(store, now=NOW, limit=2):
    while store.write(lambda tx: tx.sweep(now, limit)):
        pass


def chunk(store, file_id, number):
    return store.read(lambda tx: tx.user_import_files.find_chunk(file_id, number))


def test_a_job_comes_back_as_it_was(store):
    """A stored job equals the one that was given, and the changed one the change."""
    bare = import_job("import-a")
    full = import_job(
        "import-b",
        hashing=PasswordHashingAlgorithmType.SCRYPT,
        status=Status.InProgress,
        started_at=NOW,
        completed_at=NOW + 1,
        message="Nice – ünï",
        imported=2**40,
        skipped=2,
        failed=3,
        upload_id="f",
        size=2**31,
        lines=4,
        columns=("a", 'custom:b,"c'),
        next_byte=5,
        next_line=6,
    )
    for job in (bare, full):
        store.write(lambda tx, job=job: tx.user_imports.insert(job))
        assert store.read(lambda tx, job=job: tx.user_imports.find(job.id)) == job
    with pytest.raises(AlreadyExists):
        store.write(lambda tx: tx.user_imports.insert(bare))
    changed = replace(full, id=bare.id, hashing=None)
    store.write(lambda tx: tx.user_imports.save(changed))
    assert store.read(lambda tx: tx.user_imports.find(bare.id)) == replace(changed, revision=1)
    assert store.read(lambda tx: tx.user_imports.count(POOL)) == 2
    assert store.read(lambda tx: tx.user_imports.find("import-c")) is None


def test_a_job_is_changed_once_for_each_time_it_was_read(store):
    """Who read a job before somebody else changed it is told so."""
    job = import_job()
    store.write(lambda tx: tx.user_imports.insert(job))
    store.write(lambda tx: tx.user_imports.save(replace(job, imported=1)))

    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.user_imports.save(replace(job, imported=2)))

    assert store.read(lambda tx: tx.user_imports.find(job.id)).imported == 1


def test_the_catalogue_knows_of_imported_hashes(store):
    """It says so from the moment that there is a job with a hashing algorithm, also where it said no before."""
    assert not store.read(lambda tx: tx.catalogue.hashes_imported(POOL))
    store.write(lambda tx: tx.user_imports.insert(import_job("import-a")))
    assert not store.read(lambda tx: tx.catalogue.hashes_imported(POOL))

    store.write(lambda tx: tx.user_imports.insert(import_job("import-b", hashing=PasswordHashingAlgorithmType.BCRYPT)))

    assert store.read(lambda tx: tx.catalogue.hashes_imported(POOL))


def test_jobs_are_paged_newest_first(store):
    """Pages go from the newest job to the oldest, and by id where two were made at once."""
    jobs = [import_job(f"import-{number}", created_at=NOW + number // 2) for number in range(5)]
    for job in (*jobs, import_job("import-x", OTHER)):
        store.write(lambda tx, job=job: tx.user_imports.insert(job))

    found, before = [], None
    while page := store.read(lambda tx, before=before: tx.user_imports.page(POOL, before=before, limit=2)):
        found += [job.id for job in page]
        before = (page[-1].created_at, page[-1].id)

    assert found == ["import-4", "import-3", "import-2", "import-1", "import-0"]


def test_there_is_one_turn(store):
    """One job is active at a time; who works on it says so, until somebody else does."""
    assert store.write(lambda tx: tx.user_imports.begin_turn("a"))
    assert not store.write(lambda tx: tx.user_imports.begin_turn("b"))
    assert store.read(lambda tx: tx.user_imports.active()) == ("a", "", 0)
    assert store.write(lambda tx: tx.user_imports.hold_turn("a", "me", NOW))
    assert not store.write(lambda tx: tx.user_imports.hold_turn("b", "me", NOW))
    assert store.read(lambda tx: tx.user_imports.active()) == ("a", "me", NOW)
    store.write(lambda tx: tx.user_imports.end_turn("b"))
    assert store.read(lambda tx: tx.user_imports.active()) == ("a", "me", NOW)
    store.write(lambda tx: tx.user_imports.end_turn("a"))
    assert store.read(lambda tx: tx.user_imports.active()) is None


def test_logs_are_read_in_order(store):
    """A job's log is read by its lines, those after one, and no other job's."""
    job, other = import_job("import-a"), import_job("import-b")
    batches = [[LogEntry(first, first + 499, Outcome.SUCCEEDED, "ü")] for first in (2, 502, 1002)]
    for batch in (*reversed(batches), []):
        store.write(lambda tx, batch=batch: tx.user_imports.add_log(job, batch))
    store.write(lambda tx: tx.user_imports.add_log(other, [LogEntry(2, 2, Outcome.FAILED, "x")]))

    assert store.read(lambda tx: tx.user_imports.log(job, after=0, limit=2)) == batches[:2]
    assert store.read(lambda tx: tx.user_imports.log(job, after=502, limit=2)) == batches[2:]


def test_chunks_belong_to_files_that_are_wanted(store):
    """A chunk is kept while its file is there; what was dropped goes with sweeps, and takes no more chunks."""
    data = random.Random(0).randbytes(300_000)
    for file_id in ("f", "g"):
        store.write(lambda tx, name=file_id: tx.user_import_files.begin(POOL, "job", name, NOW + 1))
    with pytest.raises(AlreadyExists):
        store.write(lambda tx: tx.user_import_files.begin(POOL, "job", "g", NOW + 1))
    for number in range(3):
        assert store.write(lambda tx, number=number: tx.user_import_files.add_chunk("f", number, data))
    assert store.write(lambda tx: tx.user_import_files.add_chunk("g", 0, b"g"))
    assert chunk(store, "f", 2) == data
    assert chunk(store, "f", 3) is None
    store.write(lambda tx: tx.user_import_files.drop_chunks("f", 2))
    assert [chunk(store, "f", number) for number in range(3)] == [None, None, data]

    store.write(lambda tx: tx.user_import_files.drop_others("job", "f"))

    assert not store.write(lambda tx: tx.user_import_files.add_chunk("g", 1, b"g"))
    assert store.write(lambda tx: tx.user_import_files.touch("f"))
    sweep(store)
    assert count(store, "user_import_chunks") == 1


def test_files_expire_unless_they_are_kept(store):
    """An upload that never ended goes once its time is over; the file of a started job stays."""
    for file_id in ("f", "g"):
        store.write(lambda tx, name=file_id: tx.user_import_files.begin(POOL, "job", name, NOW))
        store.write(lambda tx, name=file_id: tx.user_import_files.add_chunk(name, 0, b"x"))
    assert store.write(lambda tx: tx.user_import_files.keep("f"))
    assert not store.write(lambda tx: tx.user_import_files.keep("h"))

    sweep(store, NOW + 1)

    assert chunk(store, "f", 0) == b"x"
    assert chunk(store, "g", 0) is None


def test_jobs_expire(store):
    """A sweep marks the jobs that nobody started in time, and leaves all others alone."""
    due, young = import_job("import-a", upload_id="f", size=9), import_job("import-b", created_at=NOW + 1)
    begun = import_job("import-c", status=Status.Succeeded)
    for job in (due, young, begun):
        store.write(lambda tx, job=job: tx.user_imports.insert(job))
    store.write(lambda tx: tx.user_import_files.begin(POOL, due.id, "f", NOW + 2 * EXPIRY))

    sweep(store, NOW + EXPIRY)

    end = {"status": Status.Expired, "message": EXPIRED, "completed_at": NOW + EXPIRY, "upload_id": None, "size": 0}
    assert store.read(lambda tx: tx.user_imports.find(due.id)) == replace(due, **end, revision=1)
    assert store.read(lambda tx: tx.user_imports.find(young.id)) == young
    assert store.read(lambda tx: tx.user_imports.find(begun.id)) == begun
    assert count(store, "user_import_files") == 0


def test_everything_goes_with_the_pool(store):
    """A deleted pool's jobs are gone at once, and their files and logs with later sweeps; those of others stay."""
    store.write(lambda tx: tx.pools.insert(pool(OTHER), NOW))
    for pool_id in (POOL, OTHER):
        job = import_job(f"import-{pool_id}", pool_id)
        store.write(lambda tx, job=job: tx.user_imports.insert(job))
        store.write(lambda tx, job=job: tx.user_import_files.begin(job.pool_id, job.id, f"f{job.pool_id}", NOW + 1))
        for number in range(3):
            store.write(lambda tx, job=job, n=number: tx.user_import_files.add_chunk(f"f{job.pool_id}", n, b"x"))
            entry = LogEntry(number, number, Outcome.FAILED, "x")
            store.write(lambda tx, job=job, entry=entry: tx.user_imports.add_log(job, [entry]))

    store.write(lambda tx: tx.pools.delete(POOL))

    assert store.read(lambda tx: tx.user_imports.find(f"import-{POOL}")) is None
    assert store.read(lambda tx: tx.user_imports.count(POOL)) == 0
    sweep(store)
    for table, left in {"jobs": 1, "files": 1, "chunks": 3, "log": 3}.items():
        assert count(store, f"user_import_{table}") == left, table


def test_many_users_are_stored_as_one_by_one(store):
    """Users of a batch are found by name, sub, alias and search, like those that were stored by themselves."""
    many = [newcomer(f"many{number:03}", f"email:m{number}@x") for number in range(250)]
    alone = store.write(lambda tx: tx.users.insert(user("alone"), names(email="x@y")))

    store.write(lambda tx: tx.many_users.insert(POOL, many))
    store.write(lambda tx: tx.many_users.insert(POOL, []))

    def find(tx, each):
        by_name = tx.users.find_by_username(POOL, each.user.username)
        by_sub, by_alias = (
            tx.users.find_by_sub(POOL, each.user.sub),
            tx.users.find_by_alias(POOL, *each.names.aliases),
        )
        assert by_name == by_sub == by_alias == replace(each.user, id=by_name.id)
        return by_name.id

    ids = store.read(lambda tx: [find(tx, each) for each in many])
    found, _ = store.read(
        lambda tx: tx.user_lists.search(
            POOL, "email", "x@y", lambda name, *_: name, prefix=False, after=None, limit=999
        )
    )
    assert len(found) == store.read(lambda tx: tx.pools.user_count(POOL)) == 251
    later = store.write(lambda tx: tx.users.insert(user("later"), names()))
    assert sorted({alone.id, *ids, later.id}) == [alone.id, *ids, later.id]
    saved = store.write(lambda tx: tx.users.save(replace(many[0].user, id=ids[0]), names("email:new@x")))
    store.write(lambda tx: tx.users.delete(saved))
    assert store.read(lambda tx: tx.users.find_by_alias(POOL, "email:new@x")) is None
    assert count(store, "user_aliases") == 249


def test_texts_with_nul_are_stored(store):
    """A NUL, which PostgreSQL's texts cannot hold, does not keep a batch from being stored."""
    odd = newcomer("odd", attributes={"name": "a\0b"})

    store.write(lambda tx: tx.many_users.insert(POOL, [odd]))

    assert store.read(lambda tx: tx.users.find_by_username(POOL, "odd")).attributes["name"] == "a\0b"


def test_taken_names_are_found(store):
    """Of all names that newcomers ask for, those that somebody in this pool has are found, however many."""
    with_pool(store, id=OTHER)
    there = newcomer("there", "email:there@x")
    store.write(lambda tx: tx.many_users.insert(POOL, [there]))
    store.write(lambda tx: tx.many_users.insert(OTHER, [newcomer("elsewhere", "email:else@x", pool_id=OTHER)]))
    asked = [newcomer(f"n{number}", f"email:n{number}@x") for number in range(230)]
    asked += [newcomer("there"), newcomer("elsewhere", "email:else@x"), newcomer("x", "email:there@x")]
    asked.append(newcomer(there.user.sub))

    taken = store.read(lambda tx: tx.many_users.find_taken(POOL, asked))

    assert taken == Taken(usernames={"there"}, subs={there.user.sub}, aliases={"email:there@x"})
    assert store.read(lambda tx: tx.many_users.find_taken(POOL, [])) == Taken(set(), set(), set())


@pytest.mark.parametrize("taken", ["username", "alias"])
def test_a_name_that_was_taken_meanwhile_has_the_batch_run_again(url, open_sync, taken):
    """Where somebody took a name after it was found free, the work runs again and finds it taken."""
    store, other = open_sync(url), open_store(url)
    with_pool(store)
    batch = [newcomer("a", "email:a@x"), newcomer("b", "email:b@x")]
    rival = ("b", names()) if taken == "username" else ("c", names("email:b@x"))
    ran = []

    def work(tx):
        found = tx.many_users.find_taken(POOL, batch)
        free = [each for each in batch if each.name not in found.usernames and not each.names.aliases & found.aliases]
        # SQLite lets nobody write meanwhile.
        if not ran and url.startswith("postgresql"):
            run_apart(other, lambda tx: tx.users.insert(user(rival[0]), rival[1]))
        ran.append(len(free))
        tx.many_users.insert(POOL, free)

    store.write(work)

    assert ran == ([2, 1] if url.startswith("postgresql") else [2])
    assert store.read(lambda tx: tx.pools.user_count(POOL)) == 2
    other.close_now()


def run_apart(store, work):
    """Run a write on a thread of its own, and wait for it."""
    thread = threading.Thread(target=lambda: asyncio.run(store.write(work)))
    thread.start()
    thread.join()
