-- An owner may have made one by the same trigger already; this one can be switched off.
INSERT INTO workflows (id, version, name, trigger, condition, actions, enabled, created_at, updated_at)
VALUES ('0190b000-0000-7000-8000-00000000000a', 1, 'Nobody is told of an erasure that was called off', 'erasure_cancelled',
        NULL, '[{"cancel_tasks": {"reference": "erasure/{{ data.erasure_id }}"}}]',
        true, now(), now());
