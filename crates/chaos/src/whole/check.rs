use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::Duration;

use bhiv_broker::topology::{DEAD_LETTER_EXCHANGE, Topology};
use bhiv_db::Conn;
use diesel::sql_types::{BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::flow::Flow;
use crate::Result;
use crate::control::Servers;

/// Schemas, and the service that each belongs to in the topology.
const SCHEMAS: [(&str, &str); 7] = [
    ("crm", "crm"),
    ("logistics", "logistics"),
    ("task", "task"),
    ("compliance", "compliance"),
    ("rl", "rl"),
    ("logging", "logging"),
    ("gateway", "core"),
];

/// Time in which RabbitMQ has counted anew what its queues hold.
const COUNTED: Duration = Duration::from_secs(20);

/// What each story must have, once: schema and table with the story's id in `correlation_id`.
const ONCE: [&str; 6] = [
    "crm.leads",
    "crm.opportunities",
    "logistics.orders",
    "logistics.deliveries",
    "gateway.unified_events",
    "task.feedback",
];

/// Kinds of events without which a story in the log is not whole.
const CHAPTERS: [&str; 13] = [
    "lead_created",
    "lead_scored",
    "task_created",
    "compliance_checked",
    "opportunity_created",
    "order_created",
    "decision_made",
    "order_status_changed",
    "unified_received",
    "event_scored",
    "delivery_scheduled",
    "feedback_received",
    "outcome_recorded",
];

/// An event as it was committed.
#[derive(Debug, diesel::QueryableByName)]
struct Committed {
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
    #[diesel(sql_type = Text)]
    exchange: String,
    #[diesel(sql_type = Text)]
    routing_key: String,
}

#[derive(Debug, diesel::QueryableByName)]
struct Handled {
    #[diesel(sql_type = SqlUuid)]
    message_id: Uuid,
    #[diesel(sql_type = Text)]
    consumer: String,
}

#[derive(Debug, diesel::QueryableByName)]
struct Rows {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(Debug, diesel::QueryableByName)]
struct PerStory {
    #[diesel(sql_type = SqlUuid)]
    correlation_id: Uuid,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(Debug, diesel::QueryableByName)]
struct Referenced {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Bool)]
    is_good: bool,
}

/// Compares what was committed with what came of it, in all schemas.
#[derive(Debug)]
pub(super) struct Checker {
    servers: Servers,
    url: String,
    topologies: Vec<Topology>,
}

impl Checker {
    /// From now on every event that is committed is noted, by triggers of its own on the outboxes.
    pub(super) async fn new(servers: &Servers) -> Result<Self> {
        let mut topologies = Vec::new();
        for file in fs::read_dir(servers.root.join("proto-docs/topology"))? {
            topologies.push(serde_json::from_str(&fs::read_to_string(file?.path())?)?);
        }
        let url = servers.database_url_in("bhiv")?;
        let checker = Self { servers: servers.clone(), url, topologies };
        let mut conn = checker.connect().await?;
        conn.batch_execute(
            "CREATE TABLE public.committed (event_id uuid PRIMARY KEY, exchange text NOT NULL, routing_key text NOT NULL);
             CREATE FUNCTION public.note_committed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                 INSERT INTO public.committed VALUES (NEW.event_id, NEW.exchange, NEW.routing_key)
                 ON CONFLICT DO NOTHING;
                 RETURN NULL;
             END $$",
        )
        .await?;
        for (schema, _) in SCHEMAS {
            let trigger = format!(
                "CREATE TRIGGER note AFTER INSERT ON {schema}.outbox
                 FOR EACH ROW EXECUTE FUNCTION public.note_committed()"
            );
            conn.batch_execute(&trigger).await?;
        }
        Ok(checker)
    }

    async fn connect(&self) -> Result<Conn> {
        Ok(Conn::establish(&self.url).await?)
    }

    /// Everything as it is at one moment.
    async fn snapshot(&self) -> Result<Conn> {
        let mut conn = self.connect().await?;
        conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(conn)
    }

    /// What is still under way, in words.
    pub(super) async fn pending(&self) -> Result<Option<String>> {
        let mut conn = self.snapshot().await?;
        let mut pending = Vec::new();
        for (schema, _) in SCHEMAS {
            for table in ["outbox", "outbox_parked", "inbox_parked"] {
                let rows = count(&mut conn, &format!("{schema}.{table}")).await?;
                if rows > 0 {
                    pending.push(format!("{rows} rows in {schema}.{table}"));
                }
            }
        }
        if pending.is_empty()
            && let Err(missing) = self.events(&mut conn).await?
        {
            pending.push(missing);
        }
        Ok((!pending.is_empty()).then(|| pending.join(", ")))
    }

    /// Each committed event was handled by each consumer that hears of its kind, and nothing else was. The inbox
    /// has a row for every message that a consumer handled, written in the transaction of its effects.
    async fn events(&self, conn: &mut Conn) -> Result<std::result::Result<usize, String>> {
        let query = "SELECT event_id, exchange, routing_key FROM public.committed";
        let committed: Vec<Committed> = diesel::sql_query(query).load(conn).await?;
        let ids: HashSet<Uuid> = committed.iter().map(|event| event.event_id).collect();
        for (schema, service) in SCHEMAS {
            let topology = self.topologies.iter().find(|topology| topology.service == service);
            let topology = topology.ok_or_else(|| format!("no topology of {service}"))?;
            let query = format!("SELECT message_id, consumer FROM {schema}.inbox");
            let rows: Vec<Handled> = diesel::sql_query(query).load(conn).await?;
            let mut handled: HashMap<Uuid, HashSet<&str>> = HashMap::new();
            for row in &rows {
                handled.entry(row.message_id).or_default().insert(&row.consumer);
            }
            if let Some(stray) = handled.keys().find(|id| !ids.contains(id)) {
                return Err(format!("{schema} handled {stray}, which was never committed").into());
            }
            // Whoever handled one event of a kind has to handle all of that kind.
            let heard: Vec<&Committed> = committed.iter().filter(|event| hears(topology, event)).collect();
            let mut consumers: HashMap<&str, HashSet<&str>> = HashMap::new();
            for event in &heard {
                let of_this = handled.get(&event.event_id).into_iter().flatten();
                consumers.entry(&event.routing_key).or_default().extend(of_this);
            }
            for event in heard {
                let Committed { event_id, routing_key, .. } = event;
                let of_this = handled.get(event_id).map_or(0, HashSet::len);
                let of_kind = consumers.get(routing_key.as_str()).map_or(0, HashSet::len);
                if of_this == 0 || of_this != of_kind {
                    return Ok(Err(format!(
                        "{routing_key} {event_id} was handled by {of_this} of {of_kind} consumers of {schema}"
                    )));
                }
            }
        }
        Ok(Ok(committed.len()))
    }

    /// Compares everything; answers how many events there are.
    pub(super) async fn verify(&self, flows: &[Flow]) -> Result<usize> {
        let mut conn = self.snapshot().await?;
        let events = self.events(&mut conn).await??;
        let dead =
            count(&mut conn, &format!("public.committed WHERE exchange = '{DEAD_LETTER_EXCHANGE}'")).await?;
        if dead > 0 {
            return Err(format!("{dead} dead letters").into());
        }
        self.empty_queues().await?;
        let stories: HashSet<Uuid> = flows.iter().map(|flow| flow.story).collect();
        for table in ONCE {
            once(&mut conn, table, &stories).await?;
        }
        let checks = [
            (
                "task.tasks",
                "SELECT reference, count(*) AS count, true AS is_good FROM task.tasks
                 WHERE reference IS NOT NULL GROUP BY reference",
                flows
                    .iter()
                    .flat_map(|flow| {
                        [
                            format!("lead/{}", flow.lead),
                            format!("delivery/{}", flow.delivery),
                            format!("unified/{}", flow.unified),
                        ]
                    })
                    .collect::<Vec<_>>(),
            ),
            (
                "rl.decisions",
                "SELECT reference, count(*) AS count, bool_and(reward IS NOT NULL) AS is_good
                 FROM rl.decisions WHERE kind = 'order_approval' GROUP BY reference",
                flows.iter().map(|flow| format!("order/{}", flow.order)).collect(),
            ),
            (
                "crm.leads with their scores",
                "SELECT id::text AS reference, count(*) AS count, bool_and(score IS NOT NULL) AS is_good
                 FROM crm.leads GROUP BY id",
                flows.iter().map(|flow| flow.lead.clone()).collect(),
            ),
            (
                "logistics.orders that are approved",
                "SELECT id::text AS reference, count(*) AS count, bool_and(status = 'approved') AS is_good
                 FROM logistics.orders GROUP BY id",
                flows.iter().map(|flow| flow.order.clone()).collect(),
            ),
        ];
        for (what, query, wanted) in checks {
            referenced(&mut conn, what, query, wanted).await?;
        }
        // What became of each order, and first that it came.
        let told = flows.len() + self.of_kinds(&["logistics.order.status_changed.v1"]).await?.len();
        let activities = count(&mut conn, "crm.activities WHERE kind = 'order'").await?;
        if activities != i64::try_from(told)? {
            return Err(format!("crm was told of orders {activities} times instead of {told}").into());
        }
        log(&mut conn, events, &stories).await?;
        Ok(events)
    }

    /// Has crm give a message up, as a consumer of its does it.
    pub(super) async fn give_up_a_message(&self) -> Result {
        let insert = format!(
            "INSERT INTO crm.outbox (event_id, exchange, routing_key, subject, sequence, headers, payload)
             VALUES (gen_random_uuid(), '{DEAD_LETTER_EXCHANGE}', 'crm.rejected', 'lead/lost', 1, '{{}}', '{{}}')"
        );
        Ok(self.connect().await?.batch_execute(&insert).await?)
    }

    /// The log has each event once. Answers how many there are.
    pub(super) async fn logged(&self) -> Result<usize> {
        let mut conn = self.snapshot().await?;
        let committed = format!("public.committed WHERE exchange <> '{DEAD_LETTER_EXCHANGE}'");
        let events = usize::try_from(count(&mut conn, &committed).await?)?;
        log(&mut conn, events, &HashSet::new()).await?;
        Ok(events)
    }

    /// The ids of all events with one of these routing keys.
    pub(super) async fn of_kinds(&self, routing_keys: &[&str]) -> Result<HashSet<Uuid>> {
        let query = "SELECT event_id, exchange, routing_key FROM public.committed";
        let committed: Vec<Committed> = diesel::sql_query(query).load(&mut self.connect().await?).await?;
        let wanted = committed.into_iter().filter(|event| routing_keys.contains(&event.routing_key.as_str()));
        Ok(wanted.map(|event| event.event_id).collect())
    }

    /// Nothing has been committed since.
    pub(super) async fn unchanged(&self, events: usize) -> Result {
        let now = count(&mut self.connect().await?, "public.committed").await?;
        if now != i64::try_from(events)? {
            return Err(format!("{now} events instead of {events} after requests were repeated").into());
        }
        Ok(())
    }

    async fn empty_queues(&self) -> Result {
        for topology in &self.topologies {
            let queues = topology.queues.iter().map(|queue| &queue.name).chain([&topology.dead_letters]);
            for queue in queues {
                // RabbitMQ counts every few seconds only.
                let until = Instant::now() + COUNTED;
                loop {
                    let left = self.servers.left_in("bhiv", queue).await?;
                    if left == 0 {
                        break;
                    }
                    if Instant::now() > until {
                        return Err(format!("{left} messages are left in {queue}").into());
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
        Ok(())
    }
}

fn hears(topology: &Topology, event: &Committed) -> bool {
    let Committed { exchange, routing_key, .. } = event;
    let queues = topology.queues.iter().filter(|queue| queue.exchange == *exchange);
    queues.flat_map(|queue| &queue.routing_keys).any(|key| key == "#" || key == routing_key)
}

async fn count(conn: &mut Conn, from: &str) -> Result<i64> {
    let query = format!("SELECT count(*) AS count FROM {from}");
    Ok(diesel::sql_query(query).get_result::<Rows>(conn).await?.count)
}

/// The table has one row of each story, and none of another.
async fn once(conn: &mut Conn, table: &str, stories: &HashSet<Uuid>) -> Result {
    let query = format!("SELECT correlation_id, count(*) AS count FROM {table} GROUP BY correlation_id");
    let rows: Vec<PerStory> = diesel::sql_query(query).load(conn).await?;
    let wrong = rows.iter().find(|row| row.count != 1 || !stories.contains(&row.correlation_id));
    if let Some(PerStory { correlation_id: story, count }) = wrong {
        return Err(format!("{table} has {count} rows of story {story}").into());
    }
    if rows.len() != stories.len() {
        return Err(format!("{table} has {} stories instead of {}", rows.len(), stories.len()).into());
    }
    Ok(())
}

/// Each wanted reference is there once, as it should be, and no other.
async fn referenced(conn: &mut Conn, what: &str, query: &str, wanted: Vec<String>) -> Result {
    let rows: Vec<Referenced> = diesel::sql_query(query).load(conn).await?;
    let wanted: HashSet<String> = wanted.into_iter().collect();
    for Referenced { reference, count, is_good } in &rows {
        if *count != 1 || !is_good || !wanted.contains(reference) {
            return Err(format!("{what}: {count} of {reference}, good: {is_good}").into());
        }
    }
    if rows.len() != wanted.len() {
        return Err(format!("{what}: {} instead of {}", rows.len(), wanted.len()).into());
    }
    Ok(())
}

/// The log has each event once, and of each story every chapter.
async fn log(conn: &mut Conn, events: usize, stories: &HashSet<Uuid>) -> Result {
    let entries = count(conn, "logging.entries").await?;
    if entries != i64::try_from(events)? {
        return Err(format!("the log has {entries} entries of {events} events").into());
    }
    let chapters: Vec<_> = CHAPTERS.iter().map(|chapter| format!("'{chapter}'")).collect();
    let query = format!(
        "SELECT correlation_id, count(DISTINCT event_type) AS count FROM logging.entries
         WHERE kind = 'event' AND event_type IN ({}) GROUP BY correlation_id",
        chapters.join(", ")
    );
    let rows: Vec<PerStory> = diesel::sql_query(query).load(conn).await?;
    let told: HashMap<Uuid, i64> = rows.into_iter().map(|row| (row.correlation_id, row.count)).collect();
    let wanted = i64::try_from(CHAPTERS.len())?;
    match stories.iter().find(|story| told.get(story) != Some(&wanted)) {
        Some(story) => Err(format!("the log does not have the whole story {story}").into()),
        None => Ok(()),
    }
}
