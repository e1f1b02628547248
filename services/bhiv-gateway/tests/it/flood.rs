//! More events than the buffers between a server and a client who does not read can hold.

use bhiv_testing::TestApp;
use diesel_async::RunQueryDsl as _;
use reqwest::Response;

/// Events that are written at a time.
const STEP: i64 = 100;

/// Steps.
const STEPS: i64 = 20;

/// Events in all, 40 MB.
pub const FLOOD: i64 = STEP * STEPS;

/// Writes the next events, as many as a step has.
async fn write(app: &TestApp) {
    let mut conn = app.context.read().await.unwrap();
    diesel::sql_query(format!(
        "INSERT INTO live_events (module, event)
         SELECT 'crm', jsonb_build_object('type', 'bhiv.crm.lead.created.v1', 'data', repeat('x', 20000))
         FROM generate_series(1, {STEP})"
    ))
    .execute(&mut conn)
    .await
    .unwrap();
}

/// Writes all of it while `quick` reads, and expects that `quick` gets everything in order.
pub async fn flood(app: &TestApp, quick: &mut Response) {
    let mut ids = Ids::default();
    for step in 1..=STEPS {
        write(app).await;
        while i64::try_from(ids.seen.len()).unwrap() < step * STEP {
            assert!(ids.read(quick).await, "the quick reader was dropped after {:?}", ids.seen.last());
        }
    }
    assert_eq!(ids.seen, (1..=FLOOD).collect::<Vec<_>>());
}

/// What a reader of server-sent events has seen.
#[derive(Default)]
pub struct Ids {
    /// Ids, in order.
    pub seen: Vec<i64>,
    /// The name of the last event.
    pub last: String,
    line: Vec<u8>,
}

impl Ids {
    /// Reads on; `false` at the end.
    pub async fn read(&mut self, stream: &mut Response) -> bool {
        let Some(chunk) = stream.chunk().await.unwrap() else { return false };
        for byte in chunk {
            if byte == b'\n' {
                let line = String::from_utf8(std::mem::take(&mut self.line)).unwrap();
                if let Some(id) = line.strip_prefix("id: ") {
                    self.seen.push(id.parse().unwrap());
                }
                if let Some(name) = line.strip_prefix("event: ") {
                    self.last = name.to_owned();
                }
            } else {
                self.line.push(byte);
            }
        }
        true
    }
}
