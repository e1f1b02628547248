-- Programs that work with the system, as they or their makers registered them.
CREATE TABLE agents (
    id           uuid PRIMARY KEY,
    version      bigint NOT NULL,
    agent_id     text NOT NULL CONSTRAINT agents_agent_id UNIQUE,
    agent_type   text NOT NULL,
    capabilities text[] NOT NULL,
    endpoint     text,
    owner        text NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL
);
CREATE INDEX agents_type ON agents (agent_type, id);
