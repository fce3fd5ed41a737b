"""Request rates: the limits that operators set, and the budgets that all processes share."""

from poolhouse.storage.engine import Connection


class Rates:
    """A few rows for each Region that has a limit."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def limits(self) -> dict[tuple[str, str], int]:
        """Return every limit that was set, in requests per second, by Region and category."""
        rows = self._sql.rows("SELECT region, category, value FROM rate_limits")
        return {(region, category): value for region, category, value in rows}

    def set_limit(self, region: str, category: str, value: int) -> None:
        """Set a limit in the place of an earlier one."""
        self._sql.run(
            "INSERT INTO rate_limits (region, category, value) VALUES (:region, :category, :value)"
            " ON CONFLICT (region, category) DO UPDATE SET value = excluded.value",
            region=region,
            category=category,
            value=value,
        )

    def spent_until(self, region: str, name: str) -> int:
        """Return up to when (nanoseconds) a budget is spent; 0 where it never was."""
        row = self._sql.row(
            "SELECT spent_until FROM rate_budgets WHERE region = :region AND name = :name", region=region, name=name
        )
        return 0 if row is None else int(row[0])

    def spend(self, region: str, name: str, until: int) -> None:
        """Store up to when a budget is spent."""
        self._sql.run(
            "INSERT INTO rate_budgets (region, name, spent_until) VALUES (:region, :name, :until)"
            " ON CONFLICT (region, name) DO UPDATE SET spent_until = excluded.spent_until",
            region=region,
            name=name,
            until=until,
        )
