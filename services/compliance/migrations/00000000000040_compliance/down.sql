DROP TABLE checks;
DROP TABLE policies;
DROP TABLE consents;
