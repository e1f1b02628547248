-- An owner may have made one by the same trigger already; this one can be switched off.
INSERT INTO workflows (id, version, name, trigger, condition, actions, enabled, created_at, updated_at)
VALUES ('0190b000-0000-7000-8000-000000000009', 1, 'Tell a person before their data goes', 'erasure_announced', NULL,
        '[{"create_task": {
            "title": "Tell {{ data.person }} that their data goes at {{ data.erase_at }}",
            "description": "They may call it off until then.",
            "priority": "urgent",
            "due_in_hours": 1,
            "reference": "erasure/{{ data.erasure_id }}"}}]',
        true, now(), now());
