use diesel::migration::{Migration, MigrationSource, Result as MigrationResult};
use diesel::pg::Pg;
use diesel_async::{AsyncConnection as _, AsyncMigrationHarness, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _};

use crate::{Conn, Error};

/// Embedded migrations of several crates as one source: what the messaging crates need, then the service's
/// own tables.
#[derive(Clone, Copy)]
pub struct Migrations(pub &'static [EmbeddedMigrations]);

impl std::fmt::Debug for Migrations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Migrations of {} crates", self.0.len())
    }
}

impl MigrationSource<Pg> for Migrations {
    fn migrations(&self) -> MigrationResult<Vec<Box<dyn Migration<Pg>>>> {
        let mut all = Vec::new();
        for source in self.0 {
            all.extend(MigrationSource::<Pg>::migrations(source)?);
        }
        Ok(all)
    }
}

/// Brings the schema of `url` up to date and answers the versions that were applied.
///
/// Replicas that start together take turns: one migrates, the others find nothing left to do. Needs a
/// multi-threaded runtime.
///
/// # Errors
/// When the database is away, or a migration fails; a failed one is rolled back.
pub async fn migrate(url: &str, migrations: Migrations) -> Result<Vec<String>, Error> {
    with_lock(url, move |harness| {
        let applied = harness.run_pending_migrations(migrations)?;
        Ok(applied.into_iter().map(|version| version.to_string()).collect())
    })
    .await
}

/// Undoes every migration, the last one first. For tests: it proves that each `down.sql` works.
///
/// # Errors
/// As [`migrate`].
pub async fn revert_all(url: &str, migrations: Migrations) -> Result<(), Error> {
    with_lock(url, move |harness| harness.revert_all_migrations(migrations).map(drop)).await
}

async fn with_lock<T>(
    url: &str,
    act: impl FnOnce(&mut AsyncMigrationHarness<Conn>) -> MigrationResult<T>,
) -> Result<T, Error> {
    let mut conn = Conn::establish(url).await.map_err(|error| Error::Unavailable(error.to_string()))?;
    // Held by the session, so it is free again when this connection ends, whatever happens in between.
    diesel::sql_query("SELECT pg_advisory_lock(hashtextextended(current_schema() || '.migrations', 0))")
        .execute(&mut conn)
        .await?;
    let mut harness = AsyncMigrationHarness::new(conn);
    act(&mut harness).map_err(|error| {
        Error::Query(diesel::result::Error::QueryBuilderError(format!("migration: {error}").into()))
    })
}
