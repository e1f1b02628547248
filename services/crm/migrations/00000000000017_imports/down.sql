DROP TABLE lead_keys;
DROP TABLE import_rows;
DROP TABLE imports;
