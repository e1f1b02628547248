-- Each time that an opportunity was at a stage. The open one has not been left.
CREATE TABLE opportunity_stages (
    opportunity_id uuid NOT NULL CONSTRAINT opportunity_stages_opportunity REFERENCES opportunities,
    version        bigint NOT NULL,
    stage          text NOT NULL,
    entered_at     timestamptz NOT NULL,
    left_at        timestamptz,
    PRIMARY KEY (opportunity_id, version)
);
CREATE INDEX opportunity_stages_left ON opportunity_stages (left_at, stage) WHERE left_at IS NOT NULL;
-- Of what was there before, only the last change is known.
INSERT INTO opportunity_stages (opportunity_id, version, stage, entered_at)
SELECT id, version, stage, updated_at FROM opportunities;

ALTER TABLE opportunities ADD COLUMN closed_at timestamptz;
UPDATE opportunities SET closed_at = updated_at WHERE stage IN ('won', 'lost');
CREATE INDEX opportunities_closed ON opportunities (closed_at) WHERE closed_at IS NOT NULL;
