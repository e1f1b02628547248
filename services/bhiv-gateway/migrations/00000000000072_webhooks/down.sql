DROP TABLE webhook_attempts;
DROP TABLE webhook_deliveries;
DROP TABLE subscriptions;
DROP INDEX live_events_event;
