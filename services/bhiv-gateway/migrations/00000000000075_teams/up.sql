-- Sellers see what is their team's. Of those whom we do not know, a subscription keeps the team that they were in.
ALTER TABLE users ADD COLUMN team text;
ALTER TABLE subscriptions ADD COLUMN team text;
