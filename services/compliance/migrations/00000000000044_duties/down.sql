DROP TABLE duty_evidence;
DROP TABLE duties;
