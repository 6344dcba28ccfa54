-- Schema version 3: what was given out, what was removed for good, and notices from a second source.

-- Which case went into which export, as it was decided then.
CREATE TABLE exported (
    case_id    TEXT NOT NULL,
    format     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    decided_at INTEGER,
    PRIMARY KEY (case_id, format)
) STRICT, WITHOUT ROWID;

-- Acts beside the journal; appended only. Holds no address.
CREATE TABLE event (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    act    TEXT NOT NULL CHECK (act IN ('export', 'backup', 'purge', 'forget', 'import-decisions')),
    behind INTEGER NOT NULL,               -- the last batch of the journal before it
    at     INTEGER NOT NULL,
    by     TEXT NOT NULL,
    path   TEXT,                           -- the file that was written or read
    detail TEXT NOT NULL                   -- in words
) STRICT;

-- Keyed hashes of addresses whose owner asked to be forgotten: what comes of them later is not taken in.
CREATE TABLE forgotten (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Fingerprints of mails that were removed for good: a second pull does not bring them back.
CREATE TABLE gone (fingerprint BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Whether a mail was read from a table of suspended tickets rather than as a mail.
ALTER TABLE mail ADD COLUMN second INTEGER NOT NULL DEFAULT 0;

-- The row of such a table (its fingerprint) and the mail it is the same notice as.
CREATE TABLE twin (fingerprint BLOB PRIMARY KEY, mail INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX twin_mail ON twin (mail);
