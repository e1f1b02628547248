DROP TABLE live_events;
DROP TABLE unified_outcomes;
DROP TABLE unified_events;
DROP TABLE users;
