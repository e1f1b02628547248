//! What compliance itself has about a person is taken away.

use bhiv_db::Conn;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::schema::{checks, consents, duties, legal_holds};

/// Takes away what shows that the person said what they said; answers from how many records.
pub async fn evidence(conn: &mut Conn, names: &[String]) -> QueryResult<usize> {
    let shown = consents::subject.eq_any(names).and(consents::evidence.is_not_null());
    let nothing = consents::evidence.eq(None::<crate::domain::consent::Evidence>);
    diesel::update(consents::table.filter(shown)).set(nothing).execute(conn).await
}

/// Takes away what the person said when they asked for something; answers from how many records.
pub async fn words(conn: &mut Conn, names: &[String]) -> QueryResult<usize> {
    let said = duties::subject.eq_any(names).and(duties::details.is_not_null());
    let nothing = duties::details.eq(None::<String>);
    diesel::update(duties::table.filter(said)).set(nothing).execute(conn).await
}

/// Puts `pseudonym` where `name` stands as the person who spoke; answers in how many records.
pub async fn speaker(conn: &mut Conn, name: &str, pseudonym: &str) -> QueryResult<usize> {
    let said = consents::table.filter(consents::subject.eq(name));
    diesel::update(said).set(consents::subject.eq(pseudonym)).execute(conn).await
}

/// Puts `pseudonym` where `name` stands as the one who acted or asked, and as what was judged; answers in how many
/// records.
pub async fn actor(conn: &mut Conn, name: &str, pseudonym: &str) -> QueryResult<usize> {
    let recorded = consents::table.filter(consents::actor.eq(name));
    let recorded = diesel::update(recorded).set(consents::actor.eq(pseudonym)).execute(conn).await?;
    let caused = checks::table.filter(checks::actor.eq(name));
    let caused = diesel::update(caused).set(checks::actor.eq(pseudonym)).execute(conn).await?;
    let judged = checks::table.filter(checks::entity.eq(name));
    let judged = diesel::update(judged).set(checks::entity.eq(pseudonym)).execute(conn).await?;
    let held = legal_holds::table.filter(legal_holds::subject.eq(name));
    let held = diesel::update(held).set(legal_holds::subject.eq(pseudonym)).execute(conn).await?;
    let asked = duties::table.filter(duties::subject.eq(name));
    let asked = diesel::update(asked).set(duties::subject.eq(pseudonym)).execute(conn).await?;
    Ok(recorded + caused + judged + held + asked)
}

/// How many consent records, and how many verdicts, there are of `names`.
pub async fn left(conn: &mut Conn, names: &[String]) -> QueryResult<(usize, usize)> {
    let said: i64 = consents::table.filter(consents::subject.eq_any(names)).count().get_result(conn).await?;
    let judged: i64 = checks::table.filter(checks::entity.eq_any(names)).count().get_result(conn).await?;
    Ok((usize::try_from(said).unwrap_or_default(), usize::try_from(judged).unwrap_or_default()))
}
