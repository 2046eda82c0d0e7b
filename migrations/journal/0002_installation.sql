-- What the app was given where it is installed, sealed by whoever keeps it: see ARCHITECTURE.md, "vault".
CREATE TABLE installation (
    connection   TEXT    NOT NULL,
    installation TEXT    NOT NULL,
    data         BLOB    NOT NULL,
    updated_ms   INTEGER NOT NULL,
    PRIMARY KEY (connection, installation)
) WITHOUT ROWID;
