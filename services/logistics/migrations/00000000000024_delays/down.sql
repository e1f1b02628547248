DROP INDEX deliveries_promised;
