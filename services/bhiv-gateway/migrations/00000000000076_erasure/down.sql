DROP TABLE sessions_to_end;
