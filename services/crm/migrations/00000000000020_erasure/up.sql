-- An opportunity stays when its lead is forgotten: then its lead_id leads nowhere.
ALTER TABLE opportunities DROP CONSTRAINT opportunities_lead;
