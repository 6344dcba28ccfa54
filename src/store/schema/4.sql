-- Rows of tables among the mails are few or none: whether there are any must not cost a look at every mail.
CREATE INDEX mail_second ON mail (id) WHERE second;

-- A notice that names nobody has no recipient. A primary key of a STRICT table takes no NULL, so such notices were lost:
-- the key is an index now, and mails that belong to no case for that reason are fetched anew.
CREATE TABLE notice_4 (
    case_id   TEXT NOT NULL,
    mail      INTEGER NOT NULL REFERENCES mail (id),
    recipient INTEGER                      -- index into the diagnosis; NULL where none could be read
) STRICT;
INSERT INTO notice_4 SELECT case_id, mail, recipient FROM notice;
DROP TABLE notice;
ALTER TABLE notice_4 RENAME TO notice;
CREATE UNIQUE INDEX notice_once ON notice (case_id, mail, coalesce(recipient, -1));
CREATE INDEX notice_mail ON notice (mail);
DELETE FROM cursor WHERE EXISTS (SELECT 1 FROM mail WHERE unread AND id NOT IN (SELECT mail FROM notice));
DELETE FROM mail WHERE unread AND id NOT IN (SELECT mail FROM notice);
