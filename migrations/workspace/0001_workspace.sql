-- The files of one instance. What is counted is counted here, by triggers, in the transaction that changes it.

-- Bytes, each content once however many files have it. `uses`: files and snapshots that do.
CREATE TABLE content (
    id      INTEGER NOT NULL PRIMARY KEY,
    hash    BLOB    NOT NULL UNIQUE,
    size    INTEGER NOT NULL,
    is_text INTEGER NOT NULL,
    uses    INTEGER NOT NULL DEFAULT 0,
    bytes   BLOB    NOT NULL
);

-- Folders are not kept: a folder is there while a file is below it. `folded`: the path without regard to case, so that no two
-- files differ in case alone.
CREATE TABLE file (
    path        TEXT    NOT NULL PRIMARY KEY,
    folded      TEXT    NOT NULL UNIQUE,
    content     INTEGER NOT NULL REFERENCES content (id),
    modified_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE snapshot (
    id      INTEGER NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    made_ms INTEGER NOT NULL
);

CREATE TABLE snapshot_file (
    snapshot    INTEGER NOT NULL REFERENCES snapshot (id),
    path        TEXT    NOT NULL,
    folded      TEXT    NOT NULL,
    content     INTEGER NOT NULL REFERENCES content (id),
    modified_ms INTEGER NOT NULL,
    PRIMARY KEY (snapshot, path)
) WITHOUT ROWID;

-- What was done under a key, and what came of it: doing it again answers with this and changes nothing.
CREATE TABLE done (
    number  INTEGER NOT NULL PRIMARY KEY,
    key     TEXT    NOT NULL UNIQUE,
    request BLOB    NOT NULL,
    result  TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL
);

-- Real folders that these files were brought together with, by their whole path. The latest few are known.
CREATE TABLE synced_folder (
    id     INTEGER NOT NULL PRIMARY KEY,
    folder TEXT    NOT NULL UNIQUE,
    at_ms  INTEGER NOT NULL
);

-- What both sides held when they were last the same.
CREATE TABLE synced (
    folder INTEGER NOT NULL REFERENCES synced_folder (id) ON DELETE CASCADE,
    path   TEXT    NOT NULL,
    hash   BLOB    NOT NULL,
    PRIMARY KEY (folder, path)
) WITHOUT ROWID;

-- One row. `bytes`: contents, and the names of files and of snapshots' files.
CREATE TABLE usage (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);
INSERT INTO usage (one, files, bytes) VALUES (1, 0, 0);

CREATE TRIGGER content_comes AFTER INSERT ON content BEGIN
    UPDATE usage SET bytes = bytes + NEW.size;
END;
CREATE TRIGGER content_goes AFTER DELETE ON content BEGIN
    UPDATE usage SET bytes = bytes - OLD.size;
END;
CREATE TRIGGER file_comes AFTER INSERT ON file BEGIN
    UPDATE usage SET files = files + 1, bytes = bytes + octet_length(NEW.path);
    UPDATE content SET uses = uses + 1 WHERE id = NEW.content;
END;
CREATE TRIGGER file_goes AFTER DELETE ON file BEGIN
    UPDATE usage SET files = files - 1, bytes = bytes - octet_length(OLD.path);
    UPDATE content SET uses = uses - 1 WHERE id = OLD.content;
    DELETE FROM content WHERE id = OLD.content AND uses = 0;
END;
CREATE TRIGGER file_changes AFTER UPDATE OF content ON file WHEN NEW.content <> OLD.content BEGIN
    UPDATE content SET uses = uses + 1 WHERE id = NEW.content;
    UPDATE content SET uses = uses - 1 WHERE id = OLD.content;
    DELETE FROM content WHERE id = OLD.content AND uses = 0;
END;
CREATE TRIGGER snapshot_file_comes AFTER INSERT ON snapshot_file BEGIN
    UPDATE usage SET bytes = bytes + octet_length(NEW.path);
    UPDATE content SET uses = uses + 1 WHERE id = NEW.content;
END;
CREATE TRIGGER snapshot_file_goes AFTER DELETE ON snapshot_file BEGIN
    UPDATE usage SET bytes = bytes - octet_length(OLD.path);
    UPDATE content SET uses = uses - 1 WHERE id = OLD.content;
    DELETE FROM content WHERE id = OLD.content AND uses = 0;
END;
