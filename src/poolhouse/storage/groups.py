"""Groups and their members."""

# ruff: noqa: S608 - the only thing put into SQL here is lists of columns

from msgspec.structs import replace

from poolhouse.core.groups import Group
from poolhouse.core.user import User
from poolhouse.model import ConcurrentModificationException
from poolhouse.storage import counts, doomed
from poolhouse.storage.engine import Connection, Row, refuse
from poolhouse.storage.users import COLUMNS, user_of

_COLUMNS = "g.id, g.pool_id, g.name, g.description, g.role_arn, g.precedence, g.created_at, g.modified_at"


class Groups:
    """The groups of all pools. The order of names is that of code points."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, name: str) -> Group | None:
        """Return a group."""
        sql = f"SELECT {_COLUMNS} FROM groups AS g WHERE g.pool_id = :pool_id AND g.name = :name"
        row = self._sql.row(sql, pool_id=pool_id, name=name)
        return None if row is None else _group(row)

    def insert(self, group: Group) -> Group:
        """Store a new group; return it with its number. Raises AlreadyExists "group"."""
        row = self._sql.row(
            "INSERT INTO groups (pool_id, name, description, role_arn, precedence, created_at, modified_at) VALUES"
            " (:pool_id, :name, :description, :role_arn, :precedence, :created_at, :modified_at)"
            " ON CONFLICT DO NOTHING RETURNING id",
            pool_id=group.pool_id,
            name=group.name,
            created_at=group.created_at,
            **_values(group),
        )
        if row is None:
            raise refuse(self._sql, "group")
        counts.add(self._sql, f"groups:{group.pool_id}", 1)
        return replace(group, id=row[0])

    def save(self, group: Group) -> bool:
        """Store a changed group; False where it is gone. Name and pool never change."""
        saved = self._sql.run(
            "UPDATE groups SET description = :description, role_arn = :role_arn, precedence = :precedence,"
            " modified_at = :modified_at WHERE id = :id",
            id=group.id,
            **_values(group),
        )
        return bool(saved)

    def delete(self, group: Group) -> bool:
        """Delete a group, at once for all who ask; False where it is gone already.

        The rows of its members, however many, go with later sweeps, and with them those that another transaction is
        about to add.
        """
        if not self._sql.run("DELETE FROM groups WHERE id = :id", id=group.id):
            return False
        counts.add(self._sql, f"groups:{group.pool_id}", -1)
        doomed.leave(self._sql, "group", str(group.id))
        return True

    def page(self, pool_id: str, *, after: str | None, limit: int) -> list[Group]:
        """Return a pool's groups by name, those after a name."""
        rows = self._sql.rows(
            f"SELECT {_COLUMNS} FROM groups AS g WHERE g.pool_id = :pool_id AND g.name > :after"
            " ORDER BY g.name LIMIT :limit",
            pool_id=pool_id,
            after=after or "",
            limit=limit,
        )
        return [_group(row) for row in rows]

    def count(self, pool_id: str) -> int:
        """Return how many groups a pool has."""
        return counts.total(self._sql, f"groups:{pool_id}")

    def of_user(self, user: User) -> tuple[Group, ...]:
        """Return the groups that a user is in, by precedence and name; costs nothing where there are none."""
        if not user.memberships:
            return ()
        rows = self._sql.rows(
            f"SELECT {_COLUMNS} FROM group_members AS m JOIN groups AS g ON g.id = m.group_id"
            " WHERE m.user_id = :user_id",
            user_id=user.id,
        )
        return tuple(sorted(map(_group, rows), key=lambda group: group.place))

    def members(self, group: Group, *, after: str | None, limit: int) -> list[User]:
        """Return a group's users by name, those after a name."""
        rows = self._sql.rows(
            f"SELECT {COLUMNS} FROM group_members AS m JOIN users AS u ON u.id = m.user_id"
            " WHERE m.group_id = :group_id AND m.username > :after ORDER BY m.username LIMIT :limit",
            group_id=group.id,
            after=after or "",
            limit=limit,
        )
        return [user_of(row) for row in rows]

    def add(self, group: Group, user: User) -> int | None:
        """Put a user into a group; return how many groups the user is in then, None where it was in this one already.

        Raises ConcurrentModificationException where the user is gone.
        """
        added = self._sql.run(
            "INSERT INTO group_members (group_id, username, user_id) VALUES (:group_id, :username, :user_id)"
            " ON CONFLICT DO NOTHING",
            group_id=group.id,
            username=user.username,
            user_id=user.id,
        )
        return self._count_memberships(user) if added else None

    def remove(self, group: Group, user: User) -> bool:
        """Take a user out of a group; False where it is not in it."""
        removed = self._sql.run(
            "DELETE FROM group_members WHERE group_id = :group_id AND username = :username",
            group_id=group.id,
            username=user.username,
        )
        if removed:
            self._count_memberships(user)
        return bool(removed)

    def _count_memberships(self, user: User) -> int:
        """Bring the number at the user in line; who changes the same user's groups at the same time runs again."""
        row = self._sql.row(
            "UPDATE users SET memberships = (SELECT COUNT(*) FROM group_members AS m JOIN groups AS g"
            " ON g.id = m.group_id WHERE m.user_id = :id) WHERE id = :id RETURNING memberships",
            id=user.id,
        )
        if row is None:
            raise ConcurrentModificationException("The user was changed by another request. Please retry.")
        return int(row[0])


def _values(group: Group) -> dict[str, object]:
    return {
        "description": group.description,
        "role_arn": group.role_arn,
        "precedence": group.precedence,
        "modified_at": group.modified_at,
    }


def _group(row: Row) -> Group:
    id, pool_id, name, description, role_arn, precedence, created_at, modified_at = row
    return Group(
        id=id,
        pool_id=pool_id,
        name=name,
        description=description,
        role_arn=role_arn,
        precedence=precedence,
        created_at=created_at,
        modified_at=modified_at,
    )
