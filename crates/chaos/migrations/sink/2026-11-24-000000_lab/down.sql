DROP TABLE told, effects;
