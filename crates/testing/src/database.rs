use bhiv_db::{Conn, Migrations};
use bhiv_settings::{Database, Secret};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use uuid::Uuid;

use crate::servers;

/// A schema of its own for one test. It stays afterwards, so that a failure can be looked into; the next
/// `scripts/test` removes it.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    /// Connects into the schema.
    pub url: Secret,
    /// Name of the schema.
    pub schema: String,
}

impl TestDatabase {
    /// An empty schema.
    pub async fn empty() -> Self {
        let admin = servers().database_url;
        #[expect(clippy::disallowed_methods, reason = "it tells runs of a test apart")]
        let schema = format!("t_{}", Uuid::now_v7().simple());
        let mut conn = Conn::establish(admin.expose()).await.unwrap();
        diesel::sql_query(format!("CREATE SCHEMA {schema}")).execute(&mut conn).await.unwrap();
        let url = format!("{}?options=-csearch_path%3D{schema}", admin.expose());
        Self { url: Secret::from(url), schema }
    }

    /// A schema with the tables of `migrations`.
    pub async fn migrated(migrations: Migrations) -> Self {
        let database = Self::empty().await;
        bhiv_db::migrate(database.url.expose(), migrations).await.unwrap();
        database
    }

    /// Settings for a small pool.
    pub fn settings(&self) -> Database {
        Database { database_url: self.url.clone(), database_connections: 8 }
    }

    /// A connection of one's own.
    pub async fn connect(&self) -> Conn {
        Conn::establish(self.url.expose()).await.unwrap()
    }
}
