//! A year of entries, made by the database itself.

use bhiv_db::Conn;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};

use super::Question;
use crate::stack::Stack;
use crate::{Result, say};

/// Rows of one statement.
const PART: u64 = 500_000;

/// What is filled in: ids and times of a year, stories of eight rows, 20 rows of a thing, users of whom some do much and
/// most do little, words of which some are everywhere and some in one row.
const ROWS: &str = "
    INSERT INTO entries (id, kind, event_type, type, source, subject, entity, actor, correlation_id, causation_id,
        sequence, trace_id, task_id, user_id, rl_score, consent_flag, action, timestamp, received_at, data, search)
    SELECT (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7' || substr(m, 1, 3) || '-8' || substr(m, 4, 3) || '-'
            || substr(m, 7, 12))::uuid,
        CASE WHEN n % 3 = 0 THEN 'audit' ELSE 'event' END, name, 'bhiv.crm.' || name || '.v1', source, entity, entity,
        'user/user-' || u, md5('story' || n / 8)::uuid, NULL, 1, m, CASE WHEN n % 10 = 0 THEN 'task-' || n % 50000 END,
        'user-' || u, CASE WHEN n % 5 = 0 THEN (n % 100) / 100.0 END, CASE WHEN n % 7 = 0 THEN true END,
        CASE WHEN n % 3 = 0 THEN 'lead.' || (ARRAY['create', 'change', 'convert'])[1 + n / 3 % 3] END, at, at,
        jsonb_build_object('name', a || ' ' || b, 'note', 'seen at ' || c, 'number', n, 'ref', 'r' || n),
        array_to_tsvector(ARRAY(SELECT DISTINCT unnest(ARRAY[a, b, c, 'seen', 'at', 'r' || n, 'lead',
            split_part(name, '_', 1), split_part(name, '_', 2)])))
    FROM (SELECT n, begins + (n * 31536000.0 / $rows) * interval '1 second' AS at,
              md5('row' || n) AS m,
              (ARRAY['lead_created', 'lead_scored', 'order_created', 'decision_made', 'task_created', 'delivery_scheduled',
                     'feedback_received', 'unified_received', 'compliance_checked', 'workflow_triggered',
                     'inventory_low', 'user_changed'])[1 + n % 12] AS name,
              '/bhiv/' || (ARRAY['crm', 'rl', 'logistics', 'rl', 'task', 'logistics', 'task', 'core', 'compliance',
                                 'task', 'logistics', 'core'])[1 + n % 12] AS source,
              'lead/' || md5('lead' || n / 20)::uuid AS entity,
              floor(5000 * power(abs(hashint8(n)::float8) / 2147483648, 3))::int AS u,
              'word' || floor(2000 * power(abs(hashint8(n + 1)::float8) / 2147483648, 2))::int AS a,
              'word' || abs(hashint8(n + 2)) % 20000 AS b, 'place' || abs(hashint8(n + 3)) % 500 AS c
          FROM generate_series($from::bigint, $to::bigint) AS n,
               (SELECT date_trunc('month', now()) - interval '11 months' AS begins) AS year) AS made,
         LATERAL (SELECT lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS h) AS hexed";

#[derive(diesel::QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

/// Fills the tables with that many rows. Indexes are made afterwards, which is quicker.
pub async fn fill(stack: &Stack, rows: u64) -> Result {
    let mut conn = connect(stack).await?;
    run(&mut conn, "SET session_replication_role = replica").await?;
    run(&mut conn, "SET maintenance_work_mem = '512MB'").await?;
    run(
        &mut conn,
        "SELECT make_partition(kind, now() + months * interval '1 month')
         FROM unnest(ARRAY['event', 'audit']) AS kind, generate_series(-12, 2) AS months",
    )
    .await?;
    let indexes: Vec<Index> = diesel::sql_query(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
         FROM pg_index WHERE indrelid = 'entries'::regclass AND NOT indisprimary",
    )
    .load(&mut conn)
    .await?;
    for index in &indexes {
        run(&mut conn, &format!("DROP INDEX {}", index.name)).await?;
    }
    let mut from = 1;
    while from <= rows {
        let to = rows.min(from + PART - 1);
        let part = ROWS.replace("$rows", &rows.to_string());
        run(&mut conn, &part.replace("$from", &from.to_string()).replace("$to", &to.to_string())).await?;
        say(&format!("{to} of {rows} rows"));
        from = to + 1;
    }
    for index in &indexes {
        // Of all partitions: what is asked of a partitioned table is said of it alone.
        run(&mut conn, &index.definition.replace(" ON ONLY ", " ON ")).await?;
        say(&format!("indexed: {}", index.name));
    }
    run(&mut conn, "VACUUM (ANALYZE) entries").await
}

async fn connect(stack: &Stack) -> Result<Conn> {
    let url = format!("{}?options=-csearch_path%3Dlogging", stack.database_url.expose());
    Ok(Conn::establish(&url).await?)
}

async fn run(conn: &mut Conn, statement: &str) -> Result {
    diesel::sql_query(statement).execute(conn).await?;
    Ok(())
}

/// Each filter, some together, words that are everywhere and words that are rare, a later part, a story, a context.
pub async fn questions(stack: &Stack) -> Result<Vec<Question>> {
    let one = async |column: &str, from: &str| {
        stack.words(&format!("SELECT {column} FROM logging.entries WHERE {from} LIMIT 1")).await
    };
    let some = "id >= logging.first_id(now() - interval '120 days')";
    let (entity, story, id) =
        (one("entity", some).await?, one("correlation_id", some).await?, one("id", some).await?);
    let task = one("task_id", &format!("{some} AND task_id IS NOT NULL")).await?;
    let rare = one("data->>'ref'", some).await?;
    let of = |says: &str, query: &str, condition: &str| Question {
        says: says.to_owned(),
        path: format!("/logs?{query}"),
        plain: format!("SELECT * FROM entries WHERE {condition} ORDER BY timestamp DESC, id DESC LIMIT 50"),
    };
    let words = |says: &str, query: &str, tsquery: &str| {
        of(says, &format!("q={query}"), &format!("search @@ '{}'::tsquery", tsquery.replace('\'', "''")))
    };
    let span = "since=2026-01-01T00:00:00Z";
    Ok(vec![
        of("all", "", "true"),
        of("type=audit", "type=audit", "kind = 'audit'"),
        of("event_type", "event_type=lead_scored", "event_type = 'lead_scored'"),
        of("event_type that is nowhere", "event_type=lead_lost", "event_type = 'lead_lost'"),
        of("source", "source=compliance", "source = '/bhiv/compliance'"),
        of("source that is nowhere", "source=logging", "source = '/bhiv/logging'"),
        of("user_id of many", "user_id=user-0", "user_id = 'user-0'"),
        of("user_id of few", "user_id=user-4990", "user_id = 'user-4990'"),
        of("task_id", &format!("task_id={task}"), &format!("task_id = '{task}'")),
        of("action", "action=lead.convert", "action = 'lead.convert'"),
        of("entity", &format!("entity={entity}"), &format!("entity = '{entity}'")),
        of("correlation_id", &format!("correlation_id={story}"), &format!("correlation_id = '{story}'")),
        of("since", span, "timestamp >= '2026-01-01'"),
        of(
            "user_id and event_type",
            "user_id=user-9&event_type=order_created",
            "user_id = 'user-9' AND event_type = 'order_created'",
        ),
        of("type and source", "type=audit&source=core", "kind = 'audit' AND source = '/bhiv/core'"),
        words("a word that is everywhere", "seen", "'seen'"),
        words("a frequent word", "word0", "'word0'"),
        words("a word of some thousands", "place7", "'place7'"),
        words("a word of some hundreds", "word19999", "'word19999'"),
        words("a word that is in one row", &rare, &format!("'{rare}'")),
        words("two words", "word3+place9", "'word3' & 'place9'"),
        words("how a word begins", "word1999*", "'word1999':*"),
        of(
            "a word of a user",
            "q=place7&user_id=user-3",
            "search @@ '''place7'''::tsquery AND user_id = 'user-3'",
        ),
        Question {
            says: "a story".to_owned(),
            path: format!("/logs/story/{story}"),
            plain: format!(
                "SELECT * FROM entries WHERE correlation_id = '{story}' ORDER BY timestamp, id LIMIT 1001"
            ),
        },
        Question {
            says: "an entry".to_owned(),
            path: format!("/logs/{id}"),
            plain: format!("SELECT * FROM entries WHERE id = '{id}'"),
        },
        Question {
            says: "an entry with what is around it".to_owned(),
            path: format!("/logs/{id}/context"),
            plain: format!(
                "SELECT * FROM entries WHERE timestamp >= (SELECT timestamp FROM entries WHERE id = '{id}')
                 ORDER BY timestamp, id LIMIT 21"
            ),
        },
        Question {
            says: "audit rows of an entity".to_owned(),
            path: format!("/audit?entity={entity}"),
            plain: format!(
                "SELECT * FROM entries WHERE kind = 'audit' AND entity = '{entity}' ORDER BY timestamp DESC, id DESC LIMIT 50"
            ),
        },
    ])
}
