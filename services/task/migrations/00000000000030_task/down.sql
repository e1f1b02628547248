DROP TABLE workflow_runs;
DROP TABLE workflows;
DROP TABLE feedback;
DROP TABLE task_transitions;
DROP TABLE tasks;
