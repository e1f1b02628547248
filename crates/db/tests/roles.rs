//! What a service's own role is given, and by whom, at a real PostgreSQL.

use bhiv_db::{Conn, Migrations, migrate, prepare};
use bhiv_testing::{TestDatabase, servers};
use diesel::sql_query;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};

async fn run(conn: &mut Conn, sql: &str) -> Result<usize, String> {
    sql_query(sql).execute(conn).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_who_is_no_superuser_sets_up_roles_that_keep_out_of_each_others_schemas() {
    // Roles belong to all databases of a server: each run has its own.
    let run_id = TestDatabase::empty().await.schema;
    let (admin, database) = (format!("{run_id}_admin"), format!("{run_id}_db"));
    let url = servers().database_url;
    let mut superuser = Conn::establish(url.expose()).await.unwrap();
    run(&mut superuser, &format!("CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD 'one'")).await.unwrap();
    run(&mut superuser, &format!("CREATE DATABASE {database} OWNER {admin}")).await.unwrap();
    let (_, host) = url.expose().rsplit_once('@').unwrap();
    let host = host.rsplit_once('/').unwrap().0;
    let url_of = |user: &str, password: &str| format!("postgres://{user}:{password}@{host}/{database}");

    let (ours, others) = (format!("{run_id}_a"), format!("{run_id}_b"));
    for role in [&ours, &others] {
        // A second time changes the password, and nothing else.
        for password in ["two", "three"] {
            prepare(&url_of(&admin, "one"), &url_of(role, password)).await.unwrap();
        }
        assert!(Conn::establish(&url_of(role, "two")).await.is_err());
    }
    let applied = migrate(&url_of(&ours, "three"), Migrations(&[bhiv_outbox::MIGRATIONS])).await.unwrap();
    assert!(!applied.is_empty());

    let mut conn = Conn::establish(&url_of(&ours, "three")).await.unwrap();
    run(&mut conn, "SELECT FROM outbox").await.unwrap();
    for refused in [
        format!("CREATE TABLE {others}.mine ()"),
        "CREATE TABLE public.mine ()".to_owned(),
        "CREATE SCHEMA mine".to_owned(),
        "CREATE TEMPORARY TABLE mine ()".to_owned(),
        format!("SET ROLE {admin}"),
    ] {
        let why = run(&mut conn, &refused).await.unwrap_err();
        assert!(why.contains("permission denied"), "{refused}: {why}");
    }
    drop(conn);
    run(&mut superuser, &format!("DROP DATABASE {database} (FORCE)")).await.unwrap();
    run(&mut superuser, &format!("DROP ROLE {ours}, {others}, {admin}")).await.unwrap();
}
