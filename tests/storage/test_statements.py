"""Every statement works on both engines, and none reads a table from end to end."""

import asyncio
import re
import sqlite3
import sys

import psycopg
import pytest

from poolhouse.core.access_key import AccessKey
from poolhouse.core.auth_events import Feedback
from poolhouse.core.import_jobs import LogEntry, Outcome
from poolhouse.core.session import Attempts
from poolhouse.core.session_tracking import Activity
from poolhouse.model import EventSourceName, EventType, FeedbackValueType
from poolhouse.storage import migrate, open_store
from poolhouse.storage.deliveries import Lease
from poolhouse.storage.engine import statements, translate, translate_schema
from poolhouse.storage.transaction import Tx
from tests.storage.builders import (
    KEY,
    NOW,
    POOL,
    auth_event,
    authorization_code,
    classic_style,
    client,
    confirmation_code,
    device,
    domain,
    group,
    identity,
    import_job,
    log_delivery,
    message,
    names,
    newcomer,
    passkey,
    pool,
    provider,
    replica,
    risk,
    server,
    session,
    signing_key,
    sso_session,
    style,
    terms,
    user,
)

# Few rows by their nature, and no request reads them all but where the operator asks for them.
SCANNED = {"access_keys", "outbox", "doomed", "rate_limits"}


def write_everything(tx: Tx) -> None:
    """Call what changes something."""
    tx.pools.insert(pool(), NOW)
    tx.pools.save(pool(name="new"))
    tx.replicas.insert(POOL, replica())
    tx.replicas.save(POOL, replica())
    tx.clients.insert(client("app"))
    tx.clients.save(client("app"))
    tx.domains.insert(domain())
    tx.domains.save(domain())
    tx.resource_servers.insert(server())
    tx.resource_servers.save(server())
    tx.branding.insert(style(), "app")
    tx.branding.save(style())
    tx.classic_styles.put(classic_style())
    tx.terms.insert(terms())
    tx.terms.save(terms(german="https://example.org/de"))
    tx.identity_providers.insert(provider("Partner", "a.example"))
    tx.identity_providers.save(provider("Partner", "b.example"))
    ann = tx.users.insert(user("ann"), names("email:a@x", email="a@x"))
    ann = tx.users.save(ann, names("email:b@x", email="b@x", name="ann"))
    tx.risk_configurations.put(POOL, "app", risk(POOL, "app"))
    tx.log_deliveries.put(log_delivery())
    tx.log_records.add("arn", {"x": 1}, NOW)
    [(number, _)] = tx.log_records.claim("arn", now=NOW, until=NOW, limit=9)
    tx.log_records.put_off([number], NOW)
    tx.auth_events.put(auth_event(ann))
    tx.auth_events.judge(auth_event(ann), Feedback(value=FeedbackValueType.Valid, provider="Admin", at=NOW))
    staff = tx.groups.insert(group())
    tx.groups.save(staff)
    tx.groups.add(staff, ann)
    tx.devices.insert(device(ann.id), 9)
    tx.devices.remember(ann.id, KEY, remembered=False, now=NOW)
    tx.devices.note_sign_in(ann.id, KEY, address="::1", now=NOW)
    tx.identity_providers.hold(POOL, "Partner")
    tx.identities.insert(identity(ann.id))
    tx.users.save_attributes(ann)
    tx.passkeys.add(ann, passkey())
    tx.sessions.insert(session("s", ann.id))
    tx.sessions.save(session("s", ann.id))
    tx.users.take_turn(ann.id)
    tx.sessions.insert_tracked(session("t", ann.id), Activity(NOW, "a", "::1"))
    tx.sessions.note({"t": Activity(NOW + 1, "a", "::1")})
    tx.sso_sessions.insert(sso_session("sso", ann.id), Activity(NOW, "a", "::1"))
    tx.sso_sessions.use("sso", Activity(NOW, "a", "::1"))
    tx.sso_sessions.prolong("sso", NOW, Activity(NOW, "a", "::1"))
    tx.sso_sessions.note({"sso": Activity(NOW + 1, "a", "::1")})
    tx.authorization_codes.insert(b"d", authorization_code(ann.id))
    tx.authorization_codes.spend(b"d", "s")
    tx.confirmation_codes.put(ann.id, confirmation_code())
    tx.attempts.put("ann", Attempts(count=1, since=NOW), NOW)
    tx.nonces.spend("n", NOW)
    tx.outbox.add(message("1"))
    tx.deliveries.add(b"sealed", NOW)
    [lease] = tx.deliveries.lease(now=NOW, until=NOW, limit=9)
    tx.deliveries.put_off(lease, NOW)
    tx.access_keys.insert(AccessKey(id="A", name="ci", sealed_secret=b"", created_at=NOW))
    tx.signing_keys.add_stock(signing_key())
    tx.signing_keys.claim(POOL, "id")
    tx.signing_keys.insert(signing_key(pool_id=POOL, state="active", use="access"))
    tx.settings.put("x", b"1")
    job = import_job("import-1")
    tx.user_imports.insert(job)
    tx.user_imports.save(job)
    tx.user_imports.begin_turn("import-1")
    tx.user_imports.hold_turn("import-1", "process", NOW)
    tx.user_imports.add_log(job, [LogEntry(2, 9, Outcome.SUCCEEDED, "The import succeeded.")])
    tx.user_import_files.begin(POOL, "import-1", "f", NOW)
    tx.user_import_files.touch("f")
    tx.user_import_files.add_chunk("f", 0, b"x")
    tx.user_import_files.keep("f")
    tx.many_users.insert(POOL, [newcomer("bob"), newcomer("cat", "email:c@x")])
    tx.rates.set_limit("us-east-1", "UserToken", 120)
    tx.rates.spend("us-east-1", "UserToken", NOW)


def read_everything(tx: Tx) -> None:
    """Call what finds something."""
    tx.catalogue.find_app("app")
    tx.catalogue.find_pool(POOL)
    tx.catalogue.find_domain("shop")
    tx.catalogue.signing_keys(POOL)
    tx.catalogue.resource_servers(POOL)
    tx.catalogue.identity_providers(POOL)
    tx.catalogue.branded("app")
    tx.catalogue.srp_allowed(POOL)
    tx.catalogue.longest_sso_minutes(POOL)
    tx.catalogue.generation(POOL)
    tx.pools.find(POOL)
    tx.pools.page(region="us-east-1", after=None, limit=9)
    tx.pools.every(after=None, limit=9)
    tx.pools.count("us-east-1")
    tx.pools.user_count(POOL)
    tx.clients.find("app")
    tx.clients.page(POOL, after=None, limit=9)
    tx.clients.count(POOL)
    tx.clients.is_srp_allowed(POOL)
    tx.clients.longest_sso_minutes(POOL)
    tx.domains.find("shop")
    tx.resource_servers.find(POOL, "x")
    tx.resource_servers.page(POOL, None, 9)
    tx.resource_servers.count(POOL)
    tx.branding.find(POOL, "x")
    tx.branding.find_by_client("app")
    tx.branding.count(POOL)
    tx.classic_styles.find(POOL, "ALL")
    tx.classic_styles.find_for(POOL, "app")
    tx.terms.find(POOL, "x")
    tx.terms.of_client("app")
    tx.terms.page(POOL, after=None, limit=9)
    tx.identity_providers.find(POOL, "Partner")
    tx.identity_providers.find_by_identifier(POOL, "b.example")
    tx.identity_providers.page(POOL, after=None, limit=9)
    tx.identity_providers.names(POOL)
    tx.identity_providers.count(POOL)
    ann = tx.users.find_by_username(POOL, "ann")
    tx.users.find_by_id(ann.id)
    tx.users.lookup(POOL, "x", ann.sub, [])
    tx.users.find_by_sub(POOL, ann.sub)
    tx.users.find_by_alias(POOL, "email:b@x")
    tx.users.page(POOL, after=None, limit=9)
    tx.user_lists.page(POOL, print, after=("", "a"), limit=9)
    for attribute in ("name", "username", "sub"):
        for prefix in (True, False):
            for after in (None, ("ann", "ann")):
                tx.user_lists.search(POOL, attribute, "a", print, prefix=prefix, after=after, limit=9)
    tx.risk_configurations.find(POOL, None)
    tx.catalogue.risk_configuration(client("app"))
    tx.log_deliveries.find(POOL)
    tx.catalogue.log_destination(POOL, EventSourceName.userAuthEvents)
    tx.log_records.due(NOW, 9)
    tx.auth_events.find(ann, "e1")
    tx.auth_events.find_begun(ann, EventType.SignIn, NOW)
    tx.auth_events.page(ann, before=None, limit=9)
    tx.auth_events.known(ann, 9)
    tx.groups.find(POOL, "staff")
    tx.groups.page(POOL, after=None, limit=9)
    tx.groups.count(POOL)
    tx.groups.of_user(ann)
    tx.groups.members(tx.groups.find(POOL, "staff"), after=None, limit=9)
    tx.devices.find(ann.id, KEY)
    tx.devices.page(ann.id, after=None, limit=9)
    tx.identities.find(POOL, "Partner", "email", "x")
    tx.identities.of_user(ann.id)
    tx.identities.attributes(POOL, "Partner", 5)
    tx.passkeys.of_user(ann)
    tx.passkeys.find(ann.id, "k")
    tx.nonces.is_spent("n")
    tx.sessions.find("s")
    tx.sessions.find_with_user("s")
    tx.sessions.tracked(ann.id, NOW)
    tx.sessions.last_active(ann.id, NOW)
    tx.sso_sessions.find("sso")
    tx.sso_sessions.of_user(ann.id, NOW)
    tx.authorization_codes.find(b"d")
    tx.authorization_codes.find_with_user(b"d")
    tx.confirmation_codes.find(ann.id, "sign-up")
    tx.attempts.find("ann")
    tx.attempts.find_both("ann", "bob")
    tx.outbox.list()
    tx.outbox.list(to="x", last=True)
    for to in (None, "x"):
        tx.outbox.page(to=to, before=None, limit=9)
    tx.deliveries.next_due()
    tx.access_keys.find("A")
    tx.access_keys.list()
    tx.signing_keys.stock_count()
    tx.signing_keys.of_pool(POOL)
    tx.settings.find("x")
    tx.user_imports.find("import-1")
    tx.user_imports.count(POOL)
    tx.user_imports.have_hashes(POOL)
    tx.catalogue.hashes_imported(POOL)
    tx.user_imports.page(POOL, before=(NOW, "import-2"), limit=9)
    tx.user_imports.active()
    tx.user_imports.log(import_job("import-1"), after=0, limit=9)
    tx.user_import_files.find_chunk("f", 0)
    tx.many_users.find_taken(POOL, [newcomer("b" * 36, "email:c@x")])
    tx.rates.limits()
    tx.rates.spent_until("us-east-1", "UserToken")
    tx.replicas.of_pool(POOL)
    tx.replicas.unfinished(9)


def delete_everything(tx: Tx) -> None:
    """Call what deletes something."""
    ann = tx.users.find_by_username(POOL, "ann")
    tx.confirmation_codes.delete(ann.id, "sign-up")
    tx.deliveries.delete(Lease(1, 1, b""))
    tx.attempts.delete("ann")
    tx.attempts.clear()
    tx.outbox.delete(to="x")
    tx.outbox.delete()
    tx.sessions.delete("s")
    tx.sessions.delete_of_user(ann.id)
    tx.sessions.delete_of_client("app")
    tx.sso_sessions.delete("sso")
    tx.sso_sessions.delete_of_user(ann.id)
    tx.authorization_codes.delete_of_user(ann.id)
    tx.passkeys.note_use(ann.id, "k", 1)
    tx.passkeys.delete(ann, "k")
    tx.log_records.delete([1])
    tx.risk_configurations.delete(POOL, "app")
    tx.groups.remove(tx.groups.find(POOL, "staff"), ann)
    tx.groups.delete(tx.groups.find(POOL, "staff"))
    tx.devices.delete(ann.id, KEY)
    tx.identities.delete(identity(ann.id))
    tx.identities.insert(identity(ann.id))
    tx.identity_providers.delete(POOL, "Partner")
    tx.sweep(NOW, 10)
    tx.users.delete(ann)
    tx.terms.delete(POOL, terms().terms_id)
    tx.classic_styles.delete(POOL, "ALL")
    tx.branding.delete(POOL, style().managed_login_branding_id)
    tx.resource_servers.delete(POOL, server().identifier)
    tx.domains.delete("shop")
    tx.clients.delete(POOL, "app")
    tx.replicas.finish(9)
    tx.replicas.save(POOL, replica(status="DELETING"))
    tx.replicas.finish(9)
    tx.user_imports.end_turn("import-1")
    tx.user_import_files.drop_chunks("f", 1)
    tx.user_import_files.drop_others("import-1", "f")
    tx.user_import_files.drop("f")
    tx.pools.delete(POOL)
    tx.access_keys.delete("A")
    tx.sweep(NOW, 10)


def in_one_transaction(tx: Tx) -> None:
    write_everything(tx)
    read_everything(tx)
    delete_everything(tx)


def test_everything_runs(store):
    """Every public method of every repository runs on both engines; this list of calls forgets none."""
    called = set()

    def watched(tx):
        sys.setprofile(lambda frame, event, _: called.add(frame.f_code) if event == "call" else None)
        try:
            in_one_transaction(tx)
        finally:
            sys.setprofile(None)
        return [value for value in vars(tx).values() if hasattr(type(value), "__module__")]

    repositories = store.write(watched)
    methods = {
        f"{type(each).__name__}.{name}": method.__code__
        for each in repositories
        if type(each).__module__.startswith("poolhouse.storage") and "Connection" not in type(each).__name__
        for name, method in vars(type(each)).items()
        if not name.startswith("_") and callable(method)
    }
    assert len(methods) > 60
    assert [name for name, code in methods.items() if code not in called] == ["Generations.begin"]


@pytest.fixture
def transactional(tmp_path) -> list[str]:
    """What runs in the transactions that do everything."""

    async def run(store):
        await store.write(write_everything)
        await store.read(read_everything)
        await store.write(delete_everything)
        await store.close()

    store = open_store(f"sqlite:///{tmp_path}/used.db")
    before = dict(statements["sqlite"])
    statements["sqlite"].clear()
    asyncio.run(run(store))
    ran = sorted(statements["sqlite"])
    statements["sqlite"].update(before)
    assert len(ran) > 90
    return ran


@pytest.fixture
def collected(transactional) -> list[str]:
    """These, and whatever else ran in this process so far."""
    ran = {*transactional, *statements["sqlite"], *statements["postgres"]}
    return sorted(sql for sql in ran if re.match(r"SELECT|INSERT|UPDATE|DELETE", sql) and "nowhere" not in sql)


def test_every_statement_prepares_on_both_engines(collected, postgres, tmp_path):
    """All SQL that ran is understood by SQLite and by PostgreSQL."""
    sqlite_url = f"sqlite:///{tmp_path}/all.db"
    migrate(sqlite_url)
    url = postgres.clear()
    light = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    with psycopg.connect(url) as server:
        for sql in collected:
            light.execute(f"EXPLAIN {sql}", values_of(sql))
            result = server.pgconn.prepare(b"", numbered(sql).encode())
            assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, (sql, result.error_message)
    light.close()


def test_no_statement_reads_a_table_from_end_to_end(transactional, tmp_path):
    """SQLite finds an index for every statement, so cost does not grow with the rows of other users or pools."""
    url = f"sqlite:///{tmp_path}/all.db"
    migrate(url)
    light = sqlite3.connect(url.removeprefix("sqlite:///"))
    scans = []
    for sql in transactional:
        plan = [row[3] for row in light.execute(f"EXPLAIN QUERY PLAN {sql}", values_of(sql))]
        scans += [(line, sql) for line in plan if line.startswith("SCAN") and line.split()[1] not in SCANNED]
        scans += [(line, sql) for line in plan if "TEMP B-TREE" in line]
    light.close()
    assert scans == []


def test_no_statement_uses_what_the_engines_do_differently(transactional):
    """No LIKE, no casts, no functions of one engine, no literals that could hide a value."""
    for sql in transactional:
        assert not re.search(r"\bLIKE\b|::|\bOR REPLACE\b|\bILIKE\b|json_|\bnow\(", sql, re.IGNORECASE), sql
        assert "'" not in sql, sql
        assert "%" not in sql, sql


def test_translation():
    """Names become the driver's parameters, and types the engine's."""
    assert translate("postgres", "SELECT :a, b FROM t WHERE c = :c_d") == "SELECT %(a)s, b FROM t WHERE c = %(c_d)s"
    assert translate("sqlite", "SELECT :a") == "SELECT :a"
    text = "-- a; b\nCREATE TABLE t (\n    a {text} NOT NULL\n) {clustered};\nCREATE INDEX i ON t (a);\n"
    assert translate_schema("sqlite", text) == [
        "CREATE TABLE t (\n    a TEXT NOT NULL\n) STRICT, WITHOUT ROWID",
        "CREATE INDEX i ON t (a)",
    ]
    assert translate_schema("postgres", text)[0] == 'CREATE TABLE t (\n    a TEXT COLLATE "C" NOT NULL\n)'


def values_of(sql: str) -> dict[str, None]:
    return dict.fromkeys(re.findall(r":([a-z_]+)", sql))


def numbered(sql: str) -> str:
    """The statement with PostgreSQL's own numbered parameters."""
    found = list(values_of(sql))
    return re.sub(r":([a-z_]+)", lambda match: f"${found.index(match[1]) + 1}", sql)
