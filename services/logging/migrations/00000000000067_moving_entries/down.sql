CREATE OR REPLACE FUNCTION make_partition(of_kind text, at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    begins timestamptz := date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    ends timestamptz := (date_trunc('month', at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
    part text := format('entries_%s_%s', of_kind, to_char(begins AT TIME ZONE 'UTC', 'YYYY_MM'));
BEGIN
    INSERT INTO partitions (name, kind, since, until, from_id, to_id)
        VALUES (part, of_kind, begins, ends, first_id(begins), first_id(ends)) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE entries_%s_default IN ACCESS EXCLUSIVE MODE', of_kind);
    EXECUTE format('CREATE TABLE %I (LIKE entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    EXECUTE format('WITH moved AS (DELETE FROM entries_%s_default WHERE id >= %L AND id < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', of_kind, first_id(begins), first_id(ends), part);
    EXECUTE format('ALTER TABLE %I ADD CHECK (kind = %L)', part, of_kind);
    EXECUTE format('ALTER TABLE entries_%s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   of_kind, part, first_id(begins), first_id(ends));
    RETURN true;
END $$;
