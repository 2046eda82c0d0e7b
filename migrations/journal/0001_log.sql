-- The log of one node. See docs: ARCHITECTURE.md, "The journal".

-- Every key under which a platform might deliver the same thing again, hashed with its connection.
CREATE TABLE inbox (
    key        BLOB    NOT NULL PRIMARY KEY,
    event      BLOB    NOT NULL,
    seen_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX inbox_by_age ON inbox (seen_at_ms);

-- The body an event came in, as received.
CREATE TABLE delivery (
    seq        INTEGER PRIMARY KEY,
    event      BLOB    NOT NULL,
    raw        BLOB    NOT NULL,
    seen_at_ms INTEGER NOT NULL
);

-- state: asleep | ready | running | quarantined. written: records appended by owners (events are not counted).
CREATE TABLE instance (
    id             BLOB    NOT NULL PRIMARY KEY,
    address        TEXT    NOT NULL,
    epoch          INTEGER NOT NULL,
    next_offset    INTEGER NOT NULL,
    written        INTEGER NOT NULL,
    applied_offset INTEGER NOT NULL,
    wake_at_ms     INTEGER,
    attempts       INTEGER NOT NULL,
    state          TEXT    NOT NULL,
    ready_at_ms    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX instance_with_work ON instance (state, ready_at_ms) WHERE state <> 'asleep';
CREATE INDEX instance_unprojected ON instance (ready_at_ms) WHERE state = 'asleep' AND applied_offset < next_offset;
CREATE INDEX instance_by_wake ON instance (wake_at_ms) WHERE wake_at_ms IS NOT NULL;

-- seq only ever grows, also when old rows are trimmed, so that a reader can follow.
CREATE TABLE record (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    instance BLOB    NOT NULL,
    offset   INTEGER NOT NULL,
    epoch    INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    v        INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    UNIQUE (instance, offset)
);

CREATE TABLE definition (
    hash   TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL
) WITHOUT ROWID;
