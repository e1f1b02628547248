-- Events that workflows can be tried on: as conditions and templates see them, for as long as the settings say.
CREATE TABLE heard_events (
    event_id uuid PRIMARY KEY,
    -- Its public name.
    name     text NOT NULL,
    event    jsonb NOT NULL,
    data     jsonb NOT NULL,
    heard_at timestamptz NOT NULL
);
CREATE INDEX heard_events_name ON heard_events (name, heard_at, event_id);
CREATE INDEX heard_events_heard ON heard_events (heard_at);
