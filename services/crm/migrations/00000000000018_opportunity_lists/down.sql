DROP INDEX opportunities_currency_created;
DROP INDEX accounts_parent_name;
