-- Most activities are done before long: without it, counting them goes over the whole table.
CREATE INDEX activities_done ON activities (created_at, id) WHERE done_at IS NOT NULL;
