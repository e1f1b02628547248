DROP TABLE consent_applications;
