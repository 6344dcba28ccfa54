-- Everything the first screen counts, in the order of the queue: it is there before the cases have been read.
CREATE INDEX cases_queue ON cases (received, id, queued, state, again, due, unread);
