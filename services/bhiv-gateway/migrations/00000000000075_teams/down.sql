ALTER TABLE subscriptions DROP COLUMN team;
ALTER TABLE users DROP COLUMN team;
