-- A kind of decision is a row: how it explores, what it is rewarded for, what forbids an action. src/domain/settings.rs
-- says what stands in `settings`; gamma is that of the version before.
ALTER TABLE policies
    ADD COLUMN model text NOT NULL DEFAULT 'shared'
        CONSTRAINT policies_model CHECK (model IN ('shared', 'per_action')),
    ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN mode text NOT NULL DEFAULT 'live' CONSTRAINT policies_mode CHECK (mode IN ('apprentice', 'live')),
    -- The version that the present mode and settings began with: bounds are over decisions from there on.
    ADD COLUMN phase bigint NOT NULL DEFAULT 1,
    ADD COLUMN uplift double precision[] NOT NULL DEFAULT '{}',
    -- What decides while something older than the newest does, after a rollback.
    ADD COLUMN pinned bigint,
    ADD COLUMN pinned_statistics bytea,
    ADD CONSTRAINT policies_pinned CHECK ((pinned IS NULL) = (pinned_statistics IS NULL));
ALTER TABLE policies ALTER COLUMN gamma SET DEFAULT 100;

UPDATE policies SET settings = jsonb_build_object(
    'explorer', jsonb_build_object('type', 'square_cb', 'gamma', gamma, 'exponent', 0));
UPDATE policies SET settings = settings || '{"window_seconds": 15552000, "default_reward": 0, "learning_purpose": "profiling"}'
    WHERE kind = 'lead_score';
UPDATE policies SET settings = settings || '{"window_seconds": 604800, "learning_purpose": "profiling"}'
    WHERE kind = 'event_score';
UPDATE policies SET settings = settings || '{
        "violation_masks": ["approve", "expedite"],
        "learning_purpose": "profiling",
        "rules": [{
            "id": "large-orders-are-looked-at",
            "says": "An order of 1,000,000 or more is looked at by a person",
            "actions": ["approve", "expedite"],
            "when": [{"fact": "total", "is": "at_least", "value": 1000000}],
            "unknown": "pass"
        }]}'
    WHERE kind = 'order_approval';
UPDATE policies SET settings = settings || '{"learning_purpose": "profiling"}' WHERE kind = 'general';

ALTER TABLE decisions
    -- The person whose data it was decided on, for example `lead/0190...`.
    ADD COLUMN subject text,
    -- Whose model judged it: that of all actions, '', or of the one chosen.
    ADD COLUMN block text NOT NULL DEFAULT '',
    ADD COLUMN mattered jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN masked jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN parts jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN mode text NOT NULL DEFAULT 'live' CONSTRAINT decisions_mode CHECK (mode IN ('apprentice', 'live')),
    -- Until then it can be rewarded.
    ADD COLUMN closes_at timestamptz,
    -- Since then it is as it is: rewarded, given up, or forgotten.
    ADD COLUMN closed_at timestamptz,
    -- The version of the policy that learned from it.
    ADD COLUMN learned_in bigint,
    ADD COLUMN forgotten_at timestamptz;

UPDATE decisions SET learned_in = 0, closed_at = rewarded_at WHERE reward IS NOT NULL;
UPDATE decisions SET
    subject = CASE WHEN reference LIKE 'lead/%' THEN reference END,
    closes_at = created_at + make_interval(
        secs => coalesce((SELECT (settings ->> 'window_seconds')::double precision FROM policies
                          WHERE policies.kind = decisions.kind), 2592000));
CREATE INDEX decisions_subject ON decisions (subject) WHERE subject IS NOT NULL;
CREATE INDEX decisions_closing ON decisions (closes_at) WHERE closed_at IS NULL;
CREATE INDEX decisions_unlearned ON decisions (kind, id)
    WHERE reward IS NOT NULL AND learned_in IS NULL AND forgotten_at IS NULL;
CREATE INDEX decisions_rewarded_lately ON decisions (kind, rewarded_at, id) WHERE reward IS NOT NULL;

-- The version before learns in the transaction that records an outcome, after it has counted up its policy, and knows
-- neither of windows nor of models by action.
CREATE FUNCTION decisions_of_the_version_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.closes_at IS NULL THEN
            IF NEW.block = '' AND (SELECT model FROM policies WHERE kind = NEW.kind) = 'per_action' THEN
                RAISE EXCEPTION 'the kind % needs a newer version of rl', NEW.kind;
            END IF;
            NEW.closes_at = NEW.created_at + interval '30 days';
            NEW.subject = CASE WHEN NEW.reference LIKE 'lead/%' THEN NEW.reference END;
        END IF;
    ELSIF OLD.reward IS NULL AND NEW.reward IS NOT NULL AND NEW.closed_at IS NULL THEN
        NEW.closed_at = NEW.rewarded_at;
        NEW.learned_in = (SELECT version FROM policies WHERE kind = NEW.kind);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER decisions_of_the_version_before BEFORE INSERT OR UPDATE ON decisions
    FOR EACH ROW EXECUTE FUNCTION decisions_of_the_version_before();

-- What a policy had become with each version: for curves, and to go back to. What it knew then follows from the
-- decisions that had been learned by then; the hash proves it.
CREATE TABLE snapshots (
    kind          text NOT NULL CONSTRAINT snapshots_kind REFERENCES policies,
    version       bigint NOT NULL,
    cause         text NOT NULL,
    mode          text NOT NULL,
    observations  bigint NOT NULL,
    -- SHA-256 of the statistics, in hexadecimal digits.
    hash          text NOT NULL,
    -- Of the outcomes that this version added.
    outcomes      bigint NOT NULL,
    mean_reward   double precision,
    squared_error double precision,
    uplift_lower  double precision NOT NULL,
    uplift_upper  double precision NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (kind, version)
);

-- The newest verdict of compliance on what an event was about that broke a rule; until it is lifted.
CREATE TABLE verdicts (
    entity     text NOT NULL,
    event_type text NOT NULL,
    check_id   uuid NOT NULL,
    rules      jsonb NOT NULL,
    heard_at   timestamptz NOT NULL,
    PRIMARY KEY (entity, event_type)
);
CREATE UNIQUE INDEX verdicts_check ON verdicts (check_id);

-- What persons last said to a purpose.
CREATE TABLE consents (
    person    text NOT NULL,
    purpose   text NOT NULL,
    sequence  bigint NOT NULL,
    withdrawn boolean NOT NULL,
    PRIMARY KEY (person, purpose)
);

INSERT INTO policies
    (kind, says, default_actions, prior, dimension, lambda, version, observations, model, mode, phase, settings,
     created_at, updated_at)
VALUES
    ('lead_follow_up',
     'How to follow up a lead: by a call, an e-mail, a visit, or not yet',
     '["call", "email", "visit", "wait"]',
     '{"bias": 0.2, "has_phone=true&action=call": 0.1, "budget&action=visit": 0.1, "action=wait": -0.1}',
     64, 4, 1, 0, 'per_action', 'apprentice', 1,
     '{"explorer": {"type": "reg_cb", "width": 1},
       "floor": 0.05,
       "window_seconds": 15552000,
       "default_reward": 0,
       "violation_masks": ["call", "email", "visit"],
       "consent": {"purpose": "contact", "actions": ["call", "email", "visit"]},
       "learning_purpose": "profiling"}',
     now(), now()),
    ('courier_choice',
     'Which courier takes a delivery, among those that the caller names with what is known of them',
     '[]',
     '{"bias": 0.6, "action.load": -0.2, "action.distance_km": -0.2}',
     64, 2, 1, 0, 'shared', 'apprentice', 1,
     '{"explorer": {"type": "thompson", "width": 0.5},
       "floor": 0.05,
       "parts": {"success": 0.6, "time": 0.4},
       "window_seconds": 1209600,
       "rules": [
           {"id": "room-for-it", "says": "A courier has room for what is to be delivered",
            "when": [{"fact": "weight", "is": "above", "of": "action.free_capacity"}], "unknown": "pass"},
           {"id": "on-shift", "says": "A courier is on shift",
            "when": [{"fact": "action.on_shift", "is": "equal", "value": false}], "unknown": "pass"}
       ]}',
     now(), now()),
    ('task_assignment',
     'Who does a task, among those that the caller names with what is known of them',
     '[]',
     '{"bias": 0.6, "action.open_tasks": -0.2, "action.has_skill=true": 0.2}',
     64, 2, 1, 0, 'shared', 'apprentice', 1,
     '{"explorer": {"type": "square_cb", "gamma": 20, "exponent": 0},
       "floor": 0.05,
       "parts": {"success": 0.6, "time": 0.4},
       "window_seconds": 2592000,
       "default_reward": 0,
       "rules": [
           {"id": "present", "says": "Who is away is given nothing",
            "when": [{"fact": "action.away", "is": "equal", "value": true}], "unknown": "pass"}
       ]}',
     now(), now());
