-- Request rates: the limit of each category that an operator set, in requests per second, and how far the budget that
-- all processes share is spent: nanoseconds since the epoch.

CREATE TABLE rate_limits (
    region {text} NOT NULL,
    category {text} NOT NULL,
    value {int} NOT NULL,
    PRIMARY KEY (region, category)
) {clustered};

CREATE TABLE rate_budgets (
    region {text} NOT NULL,
    name {text} NOT NULL,
    spent_until {int} NOT NULL,
    PRIMARY KEY (region, name)
) {clustered};
