DROP TABLE echoes, changes, subjects;
