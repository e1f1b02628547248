DROP INDEX activities_done;
