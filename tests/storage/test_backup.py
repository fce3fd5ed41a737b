"""Backup and restore, within and between engines."""

import asyncio
import itertools

import pytest

from poolhouse.storage import migrations, open_store
from poolhouse.storage.backup import backup, restore
from poolhouse.storage.errors import SchemaMismatch, StorageError
from poolhouse.storage.migrations import STEPS, Step
from tests.storage.builders import POOL, group, message, names, user, with_pool
from tests.storage.test_statements import read_everything, write_everything


@pytest.fixture(params=["to sqlite", "to postgres"])
def target(request, tmp_path_factory, url):
    """The URL of a second database, without a table; that of PostgreSQL is emptied when the backup is made."""
    if request.param == "to sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('target')}/restored.db"
    return request.getfixturevalue("postgres").empty


def test_backup_restores_into_either_engine(store, target, tmp_path):
    """Everything comes back, in either engine, and new rows get new numbers."""
    store.write(write_everything)
    store.write(lambda tx: [tx.users.insert(user(f"ünï{i}"), names(f"email:{i}", name="n")) for i in range(2500)])
    before = store.read(lambda tx: tx.users.page(POOL, after=None, limit=9999))
    file = tmp_path / "file.backup"
    backup(url_of(store), file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("file.backup-*"))
    store.run(lambda each: each.close())

    async def look(url):
        restored = open_store(url)
        await restored.read(read_everything)
        after = await restored.read(lambda tx: tx.users.page(POOL, after=None, limit=9999))
        found = await restored.read(lambda tx: tx.users.find_by_alias(POOL, "email:7"))
        new = await restored.write(lambda tx: tx.users.insert(user("new"), names()))
        await restored.write(lambda tx: tx.outbox.add(message("2")))
        late = await restored.write(lambda tx: tx.groups.insert(group("late")))
        staff = await restored.read(lambda tx: tx.groups.find(POOL, "staff"))
        members = await restored.read(lambda tx: tx.groups.members(staff, after=None, limit=9))
        assert late.id > staff.id
        assert [each.username for each in members] == ["ann"]
        messages = await restored.read(lambda tx: tx.outbox.list())
        count = await restored.read(lambda tx: tx.pools.user_count(POOL))
        await restored.close()
        return after, found, new, [each.id for each in messages], count

    url = target()
    restore(url, file)
    after, found, new, messages, count = asyncio.run(look(url))
    assert after == before
    assert found.username == "ünï7"
    assert new.id > max(each.id for each in before)
    assert messages == ["1", "2"]
    assert count == len(before) + 1


def test_backup_is_a_database(store, tmp_path, open_sync):
    """A backup can be opened as it is."""
    with_pool(store)
    backup(url_of(store), tmp_path / "copy.db")
    assert open_sync(f"sqlite:///{tmp_path}/copy.db").read(lambda tx: tx.pools.find(POOL)) is not None


def test_backup_of_a_database_in_use_is_consistent(store, tmp_path, open_sync):
    """A backup made while others write shows one moment: every user is counted."""
    with_pool(store)

    async def write_and_back_up(store):
        done = asyncio.Event()

        async def sign_up(task):
            numbers = itertools.count()
            while not done.is_set():
                name = f"{task}.{next(numbers)}"
                await store.write(lambda tx, name=name: tx.users.insert(user(name), names(f"a:{name}")))

        tasks = [asyncio.create_task(sign_up(task)) for task in range(4)]
        await asyncio.sleep(0.1)
        await asyncio.to_thread(backup, url_of(store), tmp_path / "copy.db")
        done.set()
        await asyncio.gather(*tasks)

    store.run(lambda each: write_and_back_up(each))
    copy = open_sync(f"sqlite:///{tmp_path}/copy.db")
    users = copy.read(lambda tx: tx.users.page(POOL, after=None, limit=10**6))
    assert len(users) == copy.read(lambda tx: tx.pools.user_count(POOL)) > 0
    assert all(copy.read(lambda tx, u=u: tx.users.find_by_alias(POOL, f"a:{u.username}")) == u for u in users)


def test_restore_refuses_what_would_do_harm(store, tmp_path):
    """A database that holds something, a file that is no backup, and a missing file are refused."""
    url, file = url_of(store), tmp_path / "file.backup"
    with_pool(store)
    backup(url, file)
    with pytest.raises(StorageError, match="not empty"):
        restore(url, file)
    with pytest.raises(StorageError, match="Cannot write"):
        backup(url, file)
    (tmp_path / "text").write_text("no database at all, but long enough to look at")
    for name, text in (("text", "not a backup"), ("missing", "no backup")):
        with pytest.raises(StorageError, match=text):
            restore(url, tmp_path / name)
    assert store.read(lambda tx: tx.pools.find(POOL)) is not None


def test_older_backup_is_brought_up_to_date(store, tmp_path, monkeypatch):
    """A backup that an older program wrote is restored; one of a newer program is refused."""
    file, url = tmp_path / "file.backup", f"sqlite:///{tmp_path}/target.db"
    with_pool(store)
    backup(url_of(store), file)
    later = Step(len(STEPS) + 1, "0099_later", "CREATE TABLE nowhere (id {int} PRIMARY KEY) {strict};")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*STEPS, later))
        restore(url, file)
        again = tmp_path / "again.backup"
        backup(url, again)
    with pytest.raises(SchemaMismatch):
        restore(f"sqlite:///{tmp_path}/third.db", again)


def test_missing_database_is_not_backed_up(tmp_path):
    """Backing up a file that does not exist is an error and leaves no file."""
    with pytest.raises(StorageError, match="no database"):
        backup(f"sqlite:///{tmp_path}/none.db", tmp_path / "file.backup")
    assert list(tmp_path.iterdir()) == []


def url_of(store):
    """The URL that a store was opened with."""
    engine = getattr(store, "store", store)._engine
    return engine._url if engine.dialect == "postgres" else f"sqlite:///{engine._path}"
