-- A delivery is late from the end of its window on, by the clocks of where it goes; without those, of UTC-12.
ALTER TABLE deliveries
    ADD COLUMN timezone       text,
    ADD COLUMN promised_until timestamptz;

-- The version before this one does not say until when. Its word is the day and the window.
CREATE FUNCTION deliveries_promise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.promised_until IS NULL
        OR TG_OP = 'UPDATE' AND NEW.timezone IS NULL AND NEW.promised_until = OLD.promised_until
           AND (NEW.delivery_date, NEW."window") IS DISTINCT FROM (OLD.delivery_date, OLD."window") THEN
        NEW.promised_until := (NEW.delivery_date + coalesce((NEW."window"->>'to')::interval, interval '24 hours'))
            AT TIME ZONE 'UTC' + interval '12 hours';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deliveries_promise BEFORE INSERT OR UPDATE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION deliveries_promise();
UPDATE deliveries SET promised_until = NULL;

CREATE INDEX deliveries_promised_until ON deliveries (promised_until) WHERE status IN ('scheduled', 'in_transit');
