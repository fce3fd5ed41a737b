-- Identity providers: what the API shows in `document`, secrets sealed apart from it. An identifier belongs to one
-- provider of its pool.

CREATE TABLE identity_providers (
    pool_id {text} NOT NULL,
    name {text} NOT NULL,
    document {text} NOT NULL,
    sealed {blob},
    PRIMARY KEY (pool_id, name)
) {strict};

CREATE TABLE identity_provider_identifiers (
    pool_id {text} NOT NULL,
    identifier {text} NOT NULL,
    name {text} NOT NULL,
    PRIMARY KEY (pool_id, identifier)
) {clustered};
CREATE INDEX identity_provider_identifiers_name ON identity_provider_identifiers (pool_id, name);
