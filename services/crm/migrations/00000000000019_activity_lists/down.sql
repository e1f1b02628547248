DROP INDEX activities_due_order;
