use diesel::sql_types::Text;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use url::Url;

use crate::{Conn, Error};

/// Makes what `role_url` needs to connect, as an administrator: a role with the URL's user and password,
/// and a schema of the same name that belongs to it. Repeating it changes nothing but the password.
///
/// The administrator is a superuser, or owns the database and may make roles (`CREATEROLE`), as where PostgreSQL is
/// somebody else's. Without being a superuser it becomes a member of the role.
///
/// The role gets no right on any other schema, `public` included.
///
/// # Errors
/// When the database is away, the URL lacks a user or a password, or the administrator may not do it.
pub async fn prepare(admin_url: &str, role_url: &str) -> Result<(), Error> {
    let malformed = |what: &str| Error::Unavailable(format!("DATABASE_URL {what}"));
    let url = Url::parse(role_url).map_err(|error| malformed(&format!("is not a URL: {error}")))?;
    let role = url.username();
    let password = url.password().ok_or_else(|| malformed("names no password"))?;
    if role.is_empty() {
        return Err(malformed("names no role"));
    }

    let mut conn = Conn::establish(admin_url).await.map_err(|error| Error::Unavailable(error.to_string()))?;
    let sql: Vec<Statement> =
        diesel::sql_query(STATEMENTS).bind::<Text, _>(role).bind::<Text, _>(password).load(&mut conn).await?;
    conn.transaction(async |conn| {
        // Setups of several services may run together, and each writes to the same catalogue rows.
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('bhiv.setup', 0))")
            .execute(conn)
            .await?;
        for statement in sql {
            diesel::sql_query(statement.sql).execute(conn).await?;
        }
        Ok(())
    })
    .await
}

#[derive(diesel::QueryableByName)]
struct Statement {
    #[diesel(sql_type = Text)]
    sql: String,
}

/// PostgreSQL quotes the names itself: DDL takes no parameters.
const STATEMENTS: &str = "
    SELECT sql FROM (VALUES
      (1, format('DO $do$ BEGIN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %L) THEN CREATE ROLE %I; END IF;
                  END $do$', $1, $1)),
      (2, format('ALTER ROLE %I LOGIN PASSWORD %L', $1, $2)),
      (3, format('ALTER ROLE %I SET search_path = %I', $1, $1)),
      -- Requests come many at a time: one that takes several cores for itself keeps the others waiting, and processes
      -- that help it cost more to begin than a count of a list takes.
      (3, format('ALTER ROLE %I SET max_parallel_workers_per_gather = 0', $1)),
      -- Transactions here take milliseconds: whoever waits for longer may well wait for ever. Only a superuser
      -- may set it; where there is none, deadlocks are found after the server's second.
      (3, CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            THEN format('ALTER ROLE %I SET deadlock_timeout = %L', $1, '100ms') END),
      -- Whoever is no superuser gives a schema only to a role that it belongs to: before PostgreSQL 16 also if it has just
      -- made that role.
      (4, format('DO $do$ BEGIN
                    IF NOT pg_has_role(current_user, %L, %L) THEN GRANT %I TO CURRENT_USER; END IF;
                  END $do$', $1, 'USAGE', $1)),
      (5, format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', $1, $1)),
      (6, 'REVOKE ALL ON SCHEMA public FROM PUBLIC'),
      (7, format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()))
    ) AS statements (step, sql) WHERE sql IS NOT NULL ORDER BY step";
