-- What is to be done, by when: a list of its own, in either direction.
CREATE INDEX activities_due_order ON activities (due_at, id) WHERE due_at IS NOT NULL;
