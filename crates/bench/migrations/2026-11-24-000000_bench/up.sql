-- What a handler does about a message.
CREATE TABLE effects (
    message_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
