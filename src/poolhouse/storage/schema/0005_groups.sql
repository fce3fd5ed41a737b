-- Groups, and who is in them. A group's number is never used again, so members that a deleted group leaves to the
-- sweeper do not join a later one of the same name.

CREATE TABLE groups (
    id {identity},
    pool_id {text} NOT NULL,
    name {text} NOT NULL,
    description {text},
    role_arn {text},
    precedence {int},
    created_at {int} NOT NULL,
    modified_at {int} NOT NULL
) {strict};
CREATE UNIQUE INDEX groups_name ON groups (pool_id, name);

CREATE TABLE group_members (
    group_id {int} NOT NULL,
    username {text} NOT NULL,
    user_id {int} NOT NULL,
    PRIMARY KEY (group_id, username)
) {clustered};
CREATE INDEX group_members_user ON group_members (user_id, group_id);

-- So many groups a user is in, or fewer since a group was deleted: 0 spares signing in a look.
ALTER TABLE users ADD COLUMN memberships {int} NOT NULL DEFAULT 0;
