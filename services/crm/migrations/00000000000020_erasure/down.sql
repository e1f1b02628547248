-- Not checked: the leads of some may have been forgotten.
ALTER TABLE opportunities ADD CONSTRAINT opportunities_lead FOREIGN KEY (lead_id) REFERENCES leads NOT VALID;
