-- Schema version 1, as released: never edited; a change is a file of its own beside it (CONTRIBUTING.md).
-- Notices and cases may be made anew from mail; batch and entry are the journal and are only appended.
CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), ticks INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES (1, 0);

CREATE TABLE mail (
    id          INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL UNIQUE,      -- the same notice in two folders counts once
    place       TEXT NOT NULL,             -- where it was found first
    kind        TEXT NOT NULL,
    received    INTEGER NOT NULL,          -- seconds since 1970
    size        INTEGER NOT NULL,          -- of the whole mail
    truncated   INTEGER NOT NULL,          -- raw holds its beginning only
    unread      INTEGER NOT NULL,          -- could not be fully read
    diagnosis   TEXT NOT NULL,             -- JSON
    raw         BLOB NOT NULL
) STRICT;
CREATE INDEX mail_kind ON mail (kind);

CREATE TABLE cases (
    id               TEXT PRIMARY KEY,
    message          TEXT NOT NULL,        -- group: the original message
    address          TEXT NOT NULL,
    original_address TEXT,
    kind             TEXT NOT NULL,
    cause            TEXT NOT NULL,
    status           TEXT,
    reply_code       INTEGER,
    reporter         TEXT,
    ticket           TEXT,
    message_id       TEXT,
    subject          TEXT,
    received         INTEGER NOT NULL,
    last_received    INTEGER NOT NULL,
    notices          INTEGER NOT NULL,
    unread           INTEGER NOT NULL,
    queued           INTEGER NOT NULL,
    -- what the journal says, kept here for speed
    state            TEXT NOT NULL DEFAULT 'new',
    corrected_to     TEXT,
    due              INTEGER,
    decided_at       INTEGER,
    noted            INTEGER NOT NULL DEFAULT 0,
    again            INTEGER NOT NULL DEFAULT 0,
    changed          INTEGER NOT NULL      -- tick of the last change
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_changed ON cases (changed);
CREATE INDEX cases_message ON cases (message);
CREATE INDEX cases_address ON cases (address COLLATE NOCASE);
CREATE INDEX cases_corrected ON cases (corrected_to COLLATE NOCASE) WHERE corrected_to IS NOT NULL;

CREATE TABLE notice (
    case_id   TEXT NOT NULL,
    mail      INTEGER NOT NULL REFERENCES mail (id),
    recipient INTEGER,                     -- index into the diagnosis; NULL where none could be read
    PRIMARY KEY (case_id, mail, recipient)
) STRICT;
CREATE INDEX notice_mail ON notice (mail);

-- Deliveries that a later notice reported: they close a delay, whichever of the two was read first.
CREATE TABLE delivered (case_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE removed (case_id TEXT NOT NULL, changed INTEGER NOT NULL) STRICT;
CREATE INDEX removed_changed ON removed (changed);

CREATE TABLE batch (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    act    TEXT NOT NULL CHECK (act IN ('decide', 'note', 'undo', 'redo')),
    target INTEGER REFERENCES batch (id),  -- of undo and redo
    at     INTEGER NOT NULL,
    by     TEXT NOT NULL
) STRICT;
CREATE INDEX batch_target ON batch (target) WHERE target IS NOT NULL;

CREATE TABLE entry (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    batch   INTEGER NOT NULL REFERENCES batch (id),
    case_id TEXT NOT NULL,
    verdict TEXT,                          -- JSON, of a decision
    note    TEXT
) STRICT;
CREATE INDEX entry_case ON entry (case_id);
CREATE INDEX entry_batch ON entry (batch);

CREATE TABLE cursor (
    account TEXT NOT NULL,
    folder  TEXT NOT NULL,
    state   TEXT NOT NULL,                 -- JSON, owned by the source
    PRIMARY KEY (account, folder)
) STRICT, WITHOUT ROWID;

-- Evidence for suggestions: whom this inbox writes to and hears from, and corrections made elsewhere.
CREATE TABLE correspondent (
    address TEXT PRIMARY KEY,
    sent    INTEGER NOT NULL,
    heard   INTEGER NOT NULL,
    last    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE announced (old TEXT NOT NULL, new TEXT NOT NULL, because TEXT NOT NULL, PRIMARY KEY (old, new)) STRICT, WITHOUT ROWID;
CREATE TABLE learned (old TEXT NOT NULL, new TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (old, new)) STRICT, WITHOUT ROWID;

CREATE TABLE kept (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
