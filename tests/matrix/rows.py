"""The tables of a server, looked at from below: what is left when something was deleted."""

# What there is without an owner: a style of a whole pool names "ALL" clients, its risk configuration none, keys wait for
# pools to come, limits of requests are a Region's, and a generation outlives its pool, so that no cached predecessor
# passes for it.
NOBODY = "('ALL', '')"
OUTLIVING = {"generations", "counts", "rate_limits", "rate_budgets"}
COUNTED = {"signing_keys": "pool_id IS NOT NULL"}
OWNERS = {"user_id": "users", "client_id": "clients", "pool_id": "pools", "group_id": "groups"}
# Later than anything expires, and as many rows as there are.
FOR_EVER, ALL = 20 * 365 * 86_400_000, 1_000_000
TABLES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgres": (
        "SELECT c.table_name, string_agg(c.column_name, ' ') FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' GROUP BY 1"
    ),
}


class Rows:
    """The database of a server, looked at from below."""

    def __init__(self, server, kind):
        self._server = server
        found = self._rows(TABLES[kind])
        self._tables = {name: columns for name, columns in found if name not in OUTLIVING}

    def _rows(self, sql):
        # Past our own connection, which remembers every statement as one for both engines.
        return self._server.read(lambda tx: tx._connection.raw.execute(sql).fetchall())

    def pools(self):
        """The ids of all pools."""
        return {id for (id,) in self._rows("SELECT id FROM pools")}

    def sweep(self, later=0):
        """Remove what is left of what was deleted, and what will have expired by then."""
        then = self._server.clock.now() + later
        while self._server.write(lambda tx: tx.sweep(then, ALL)):
            pass

    def counts(self):
        """How many rows each table has."""
        rows = {table: self._count(table, COUNTED.get(table, "1 = 1")) for table in self._tables}
        return rows | {f"counter {name}": total for name, total in self._counters().items() if total}

    def _counters(self):
        """What is counted of each pool, by the counter's name."""
        totals = dict(self._rows("SELECT name, SUM(value) FROM counts GROUP BY name"))
        return {name: int(total) for name, total in totals.items() if not name.startswith("pools")}

    def _count(self, table, where):
        return self._rows(f"SELECT COUNT(*) FROM {table} WHERE {where}")[0][0]

    def orphans(self):
        """The tables, and their columns, that name an owner who is not there any more."""
        pools = self.pools()
        found = {name: "pool" for name in self._counters() if name.partition(":")[2] not in pools}
        for table, columns in self._tables.items():
            for column, owners in OWNERS.items():
                if column in columns.split() and table != owners:
                    gone = f"{column} IS NOT NULL AND {column} NOT IN (SELECT id FROM {owners})"
                    # Ids of users and groups are numbers.
                    gone += f" AND CAST({column} AS text) NOT IN {NOBODY}"
                    if self._count(table, gone):
                        found[table] = column
        return found
