-- Programs that wait in the middle, sealed: see ARCHITECTURE.md, "Code mode". One per call of the tool `code`, gone with its turn.
CREATE TABLE snapshot (
    instance BLOB    NOT NULL,
    turn     INTEGER NOT NULL,
    call     TEXT    NOT NULL,
    sealed   BLOB    NOT NULL,
    PRIMARY KEY (instance, turn, call)
) WITHOUT ROWID;
