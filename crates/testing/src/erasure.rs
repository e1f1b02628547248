//! Whether a service forgets a person: nothing of them may stand in any of its tables.

use bhiv_events::PersonErased;
use bhiv_events::compliance::ErasureRequested;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;

use crate::{TestApp, TestDatabase};

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

/// A select for each table, which answers its rows as text: the table's name, then `column=value` for each.
const SELECTS: &str = "
    SELECT format('SELECT concat_ws('' '', %L, %s) AS text FROM %I', c.relname,
                  string_agg(format(
                      CASE WHEN a.atttypid = 'bytea'::regtype THEN '''%1$s='' || encode(%1$I, ''escape'')'
                           ELSE '''%1$s='' || %1$I::text' END, a.attname), ', ' ORDER BY a.attnum), c.relname)
           AS text
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
    GROUP BY c.oid, c.relname ORDER BY c.relname";

impl TestDatabase {
    /// Every row of every table, as text, sorted.
    pub async fn rows(&self) -> Vec<String> {
        let mut conn = self.connect().await;
        let selects: Vec<Line> = diesel::sql_query(SELECTS).load(&mut conn).await.unwrap();
        let mut rows = Vec::new();
        for select in selects {
            let lines: Vec<Line> = diesel::sql_query(select.text).load(&mut conn).await.unwrap();
            rows.extend(lines.into_iter().map(|line| line.text));
        }
        rows.sort_unstable();
        rows
    }

    /// The rows in which `needle` stands anywhere, in letters of any size.
    pub async fn rows_with(&self, needle: &str) -> Vec<String> {
        let needle = needle.to_lowercase();
        let mut rows = self.rows().await;
        rows.retain(|row| row.to_lowercase().contains(&needle));
        rows
    }
}

impl TestApp {
    /// Takes every recorded event away, as the relay does once the broker has it.
    pub async fn publish_all(&self) {
        let mut conn = self.database.connect().await;
        diesel::sql_query("DELETE FROM outbox").execute(&mut conn).await.unwrap();
    }

    /// Delivers the erasure twice. Each needle stands in some table before and in none afterwards, the events that the
    /// erasure itself records included; the second time nothing changes. Answers what the service told of it.
    ///
    /// What was recorded before counts as published. Needles are single words, unlike all else in the test.
    pub async fn erase(&self, request: &ErasureRequested, needles: &[&str]) -> PersonErased {
        self.publish_all().await;
        for needle in needles {
            assert!(
                !self.database.rows_with(needle).await.is_empty(),
                "{needle} is nowhere before the erasure"
            );
        }
        let event = self.event(request);
        self.deliver_twice(&event).await;
        for needle in needles {
            let rows = self.database.rows_with(needle).await;
            assert!(rows.is_empty(), "{needle} is left:\n{}", rows.join("\n"));
        }
        let recorded = self.recorded().await;
        let mut told: Vec<PersonErased> = recorded
            .iter()
            .filter(|event| event.name() == "person_erased")
            .map(|event| event.read().unwrap())
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let audited = self.audited().await;
        assert_eq!(audited.iter().filter(|action| *action == "person.erase").count(), 1, "{audited:?}");
        told.remove(0)
    }
}
