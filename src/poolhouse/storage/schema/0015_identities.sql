-- Who users are at identity providers. An identity belongs to one user of its pool; "is_primary" marks the one that
-- a user came into being with. Texts are stored as given: subjects are told apart by case.

CREATE TABLE identities (
    pool_id {text} NOT NULL,
    provider {text} NOT NULL,
    attribute {text} NOT NULL,
    value {text} NOT NULL,
    user_id {int} NOT NULL,
    is_primary {int} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (pool_id, provider, attribute, value)
) {clustered};
CREATE INDEX identities_user ON identities (user_id);
