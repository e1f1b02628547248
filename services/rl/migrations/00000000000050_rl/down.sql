DROP TABLE decisions;
DROP TABLE policies;
