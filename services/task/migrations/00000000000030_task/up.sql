CREATE TABLE tasks (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    title          text NOT NULL,
    description    text,
    assignee_id    text,
    priority       text NOT NULL,
    due_date       timestamptz,
    reference      text,
    status         text NOT NULL,
    -- No foreign key: a task outlives the workflow that created it.
    workflow_id    uuid,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX tasks_status ON tasks (status, id);
CREATE INDEX tasks_assignee ON tasks (assignee_id, id);
CREATE INDEX tasks_priority ON tasks (priority, id);
CREATE INDEX tasks_reference ON tasks (reference, id);

-- Every change of a task's status, written with the change.
CREATE TABLE task_transitions (
    task_id     uuid NOT NULL CONSTRAINT task_transitions_task REFERENCES tasks,
    version     bigint NOT NULL,
    from_status text NOT NULL,
    to_status   text NOT NULL,
    at          timestamptz NOT NULL,
    actor       text NOT NULL,
    PRIMARY KEY (task_id, version)
);

CREATE TABLE feedback (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    order_id       uuid NOT NULL,
    customer       text NOT NULL,
    rating         smallint NOT NULL CONSTRAINT feedback_rating CHECK (rating BETWEEN 1 AND 5),
    comment        text,
    categories     text[] NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT feedback_once UNIQUE (order_id, customer)
);
CREATE INDEX feedback_rating ON feedback (rating, id);

-- What is done about which event.
CREATE TABLE workflows (
    id         uuid PRIMARY KEY,
    version    bigint NOT NULL,
    name       text NOT NULL,
    trigger    text NOT NULL,
    condition  text,
    actions    jsonb NOT NULL,
    enabled    boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX workflows_trigger ON workflows (trigger) WHERE enabled;

-- What came of it, for every workflow whose event arrived.
CREATE TABLE workflow_runs (
    id               uuid PRIMARY KEY,
    -- No foreign key: a run outlives its workflow.
    workflow_id      uuid NOT NULL,
    workflow_version bigint NOT NULL,
    event_id         uuid NOT NULL,
    event_type       text NOT NULL,
    correlation_id   uuid NOT NULL,
    outcome          text NOT NULL,
    effects          text[] NOT NULL,
    error            text,
    created_at       timestamptz NOT NULL,
    CONSTRAINT workflow_runs_once UNIQUE (workflow_id, event_id)
);
CREATE INDEX workflow_runs_event ON workflow_runs (event_id);
CREATE INDEX workflow_runs_story ON workflow_runs (correlation_id, id);

-- The reactions that the system ships with. They are rows like any other: change, disable or delete them.
INSERT INTO workflows (id, version, name, trigger, condition, actions, enabled, created_at, updated_at)
SELECT id, 1, name, trigger, condition, actions, true, now(), now()
FROM (VALUES
    ('0190b000-0000-7000-8000-000000000001'::uuid, 'Follow up with a new lead', 'lead_created', NULL,
     '[{"create_task": {
         "title": "Follow up with {{ data.name }}",
         "description": "{% if data.need %}They need: {{ data.need }}{% endif %}",
         "due_in_hours": 24,
         "reference": "lead/{{ data.lead_id }}"}}]'::jsonb),
    -- crm itself wins an opportunity when its order is delivered; then there is nothing left to fulfil.
    ('0190b000-0000-7000-8000-000000000002', 'Fulfil a won opportunity', 'opportunity_won',
     'event.actor != "service/crm"',
     '[{"create_task": {
         "title": "Fulfil the opportunity won over {{ data.value }} {{ data.currency }}",
         "priority": "high",
         "reference": "opportunity/{{ data.opportunity_id }}"}}]'),
    ('0190b000-0000-7000-8000-000000000003', 'Announce a scheduled delivery', 'delivery_scheduled', NULL,
     '[{"create_task": {
         "title": "Tell the customer: delivery on {{ data.delivery_date }}, tracking number {{ data.tracking_number }}",
         "reference": "delivery/{{ data.delivery_id }}"}}]'),
    -- The new task comes last, so that it is not escalated at birth.
    ('0190b000-0000-7000-8000-000000000004', 'React to a delayed delivery', 'delivery_delayed', NULL,
     '[{"escalate_tasks": {
         "reference": "order/{{ data.order_id }}",
         "reason": "delivery {{ data.tracking_number }} is late{% if data.reason %}: {{ data.reason }}{% endif %}"}},
       {"create_task": {
         "title": "Tell the customer that delivery {{ data.tracking_number }} is late",
         "priority": "urgent",
         "reference": "order/{{ data.order_id }}"}}]'),
    ('0190b000-0000-7000-8000-000000000005', 'Ask for feedback after a delivery', 'delivery_completed', NULL,
     '[{"create_task": {
         "title": "Ask for feedback on order {{ data.order_id }}",
         "reference": "order/{{ data.order_id }}"}}]'),
    -- Not one about a task: if a rule forbade tasks, each review task would be the next violation.
    ('0190b000-0000-7000-8000-000000000006', 'Review a compliance violation', 'compliance_violation',
     '!data.entity.startsWith("task/")',
     '[{"create_task": {
         "title": "Review a violation: {{ data.event_type }} of {{ data.entity }}",
         "description": "{% for rule in data.rules %}{{ rule.id }}: {{ rule.says }}\n{% endfor %}",
         "priority": "urgent",
         "reference": "check/{{ data.check_id }}"}}]'),
    ('0190b000-0000-7000-8000-000000000007', 'Restock a product that runs low', 'inventory_low', NULL,
     '[{"create_task": {
         "title": "Restock {{ data.product_id }} at {{ data.location }}",
         "description": "{{ data.available }} available; it is ordered again at {{ data.reorder_level }}.",
         "reference": "product/{{ data.product_id }}"}}]'),
    ('0190b000-0000-7000-8000-000000000008', 'Look at a unified event', 'unified_received', NULL,
     '[{"create_task": {
         "title": "Look at {{ data.event_type }} of {{ data.user_id }}",
         "reference": "unified/{{ data.unified_id }}"}}]')
) AS shipped (id, name, trigger, condition, actions);
