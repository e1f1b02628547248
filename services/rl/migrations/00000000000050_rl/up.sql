-- One row decides one kind of decision. `a_inv` (row by row) and `b` are what it learned; null until its first
-- outcome, when they are the identity over lambda, and zero.
CREATE TABLE policies (
    kind            text PRIMARY KEY,
    says            text NOT NULL,
    default_actions jsonb NOT NULL,
    prior           jsonb NOT NULL,
    dimension       int NOT NULL CONSTRAINT policies_dimension CHECK (dimension BETWEEN 1 AND 1024),
    gamma           double precision NOT NULL CONSTRAINT policies_gamma CHECK (gamma > 0 AND gamma <= 1e9),
    lambda          double precision NOT NULL CONSTRAINT policies_lambda CHECK (lambda > 0 AND lambda <= 1e9),
    version         bigint NOT NULL,
    observations    bigint NOT NULL,
    a_inv           double precision[],
    b               double precision[],
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT policies_learned CHECK (
        a_inv IS NULL AND b IS NULL
        OR cardinality(a_inv) = dimension * dimension AND cardinality(b) = dimension
    )
);

CREATE TABLE decisions (
    id              uuid PRIMARY KEY,
    version         bigint NOT NULL,
    correlation_id  uuid NOT NULL,
    kind            text NOT NULL CONSTRAINT decisions_kind REFERENCES policies,
    reference       text,
    query           text NOT NULL,
    context         jsonb NOT NULL,
    candidates      jsonb NOT NULL,
    action          text NOT NULL,
    propensity      double precision NOT NULL
                    CONSTRAINT decisions_propensity CHECK (propensity > 0 AND propensity <= 1),
    score           double precision NOT NULL CONSTRAINT decisions_score CHECK (score BETWEEN 0 AND 1),
    confidence      double precision NOT NULL
                    CONSTRAINT decisions_confidence CHECK (confidence BETWEEN 0 AND 1),
    reasoning       text NOT NULL,
    policy_version  bigint NOT NULL,
    -- What the policy saw of the chosen action, so that it learns from just that, whatever changed since.
    feature_indexes int[] NOT NULL,
    feature_values  double precision[] NOT NULL,
    feature_prior   double precision NOT NULL,
    reward          double precision CONSTRAINT decisions_reward CHECK (reward BETWEEN 0 AND 1),
    comment         text,
    rewarded_at     timestamptz,
    actor           text NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT decisions_features CHECK (cardinality(feature_indexes) = cardinality(feature_values)),
    CONSTRAINT decisions_rewarded CHECK ((reward IS NULL) = (rewarded_at IS NULL))
);
CREATE INDEX decisions_kind ON decisions (kind, id);
CREATE INDEX decisions_reference ON decisions (reference, id);
CREATE INDEX decisions_action ON decisions (action, id);
CREATE INDEX decisions_waiting ON decisions (reference, id) WHERE reward IS NULL;

-- A prior weight belongs to a feature by its name, as src/domain/features.rs and terms.rs write it, and is what
-- that feature adds to the predicted reward before anything was learned: all of it for a flag or a text, for a
-- number as much of it as the number has of 1 after squashing.
--
-- gamma: the larger, the rarer an action is chosen that is predicted to be worse. With three actions and one
-- of them worse by 0.3, gamma = 100 chooses it in 1 of 33 decisions, gamma = 20 in 1 of 9.
-- lambda: how much a feature's prior weighs, in outcomes seen with that feature.
INSERT INTO policies
    (kind, says, default_actions, prior, dimension, gamma, lambda, version, observations, created_at, updated_at)
VALUES
    ('order_approval',
     'What to do with an order: approve it, hold it for a person to look at, or expedite it',
     '["approve", "hold", "expedite"]',
     -- Most orders are fine as they are; an urgent one gains from haste.
     '{"bias": 0.5, "action=approve": 0.2, "action=hold": -0.1, "priority=urgent&action=expedite": 0.3}',
     64, 100, 10, 1, 0, now(), now()),
    ('lead_score',
     'How likely a lead is to be won',
     '["contact"]',
     -- A lead is worth more when it can pay, can be reached, knows what it wants, and comes recommended.
     '{"bias": 0.1,
       "budget&action=contact": 0.25,
       "has_phone=true&action=contact": 0.1,
       "company=true&action=contact": 0.1,
       "need=true&action=contact": 0.1,
       "timeline=true&action=contact": 0.05,
       "consent_purposes&action=contact": 0.1,
       "source=referral&action=contact": 0.2,
       "source=partner&action=contact": 0.1,
       "source=website&action=contact": 0.05}',
     64, 100, 10, 1, 0, now(), now()),
    ('event_score',
     'How much an event that a client reported is worth',
     '["process"]',
     -- The client's own estimate, mostly: 1.4 times its squashed value, which is 0.41 at most.
     '{"bias": 0.2, "rl_score&action=process": 1.4, "consent_flag=true&action=process": 0.1}',
     64, 100, 10, 1, 0, now(), now()),
    ('general',
     'Any other choice among candidates that the caller names',
     '[]',
     -- Nothing is known of the candidates: each is worth the middle until it shows.
     '{"bias": 0.5}',
     64, 50, 1, 1, 0, now(), now());
