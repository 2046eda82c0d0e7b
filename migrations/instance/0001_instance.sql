-- One instance: a projection of its records, readable with any SQLite tool.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE record (
    offset INTEGER NOT NULL PRIMARY KEY,
    epoch  INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL,
    v      INTEGER NOT NULL,
    body   TEXT    NOT NULL
);

-- The conversation, in order.
CREATE TABLE message (
    number INTEGER NOT NULL PRIMARY KEY,
    turn   INTEGER NOT NULL,
    role   TEXT    NOT NULL,
    author TEXT    NOT NULL,
    text   TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL
);

-- One row: the folded state at applied_offset.
CREATE TABLE state (
    one            INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    applied_offset INTEGER NOT NULL,
    state          TEXT    NOT NULL
);
