-- Replicas of pools in other Regions. `settings` holds what each replica has for itself.

CREATE TABLE replicas (
    pool_id {text} NOT NULL,
    region {text} NOT NULL,
    status {text} NOT NULL,
    settings {text} NOT NULL,
    risk_senders {text} NOT NULL,
    PRIMARY KEY (pool_id, region)
) {clustered};
CREATE INDEX replicas_region ON replicas (region, pool_id);
CREATE INDEX replicas_status ON replicas (status, pool_id, region);
