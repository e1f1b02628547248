DROP INDEX consents_actor;
DROP INDEX checks_actor;
DROP TABLE legal_holds;
DROP TABLE erasure_answers;
DROP TABLE erasures;
