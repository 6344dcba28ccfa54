-- Schema version 5: delays that nothing followed, and the order of recipients.

-- When a delay closes by itself as "no failure seen", if nothing more is heard of it; NULL where it does not.
ALTER TABLE cases ADD COLUMN closes INTEGER;
-- The place of the recipient in the first notice that names it: cases of one message stand in the order of the mail.
ALTER TABLE cases ADD COLUMN position INTEGER NOT NULL DEFAULT 0;

UPDATE cases SET position = coalesce((SELECT min(recipient) FROM notice WHERE case_id = cases.id), 0);
-- What the lead once put back into the queue stays there.
UPDATE cases SET closes = last_received + 5 * 86400 WHERE kind = 'delay' AND state = 'new'
    AND NOT EXISTS (SELECT 1 FROM entry WHERE case_id = cases.id AND json_extract(verdict, '$.state') = 'new');

-- Everything the first screen counts, in the order of the queue.
DROP INDEX cases_queue;
CREATE INDEX cases_queue ON cases (received, message, position, id, queued, state, again, due, unread, closes);
