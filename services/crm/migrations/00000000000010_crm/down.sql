DROP TABLE activities;
DROP TABLE accounts;
DROP TABLE opportunities;
DROP TABLE leads;
