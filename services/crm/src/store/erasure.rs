//! Finding and removing what tells who a person is.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{
    accounts, activities, contacts, lead_duplicates, lead_keys, lead_merges, leads, opportunities,
};

/// The records that are a person's.
#[derive(Debug)]
pub struct Person {
    pub leads: Vec<Uuid>,
    pub contacts: Vec<Uuid>,
    pub accounts: Vec<Uuid>,
    /// What came of their leads and contacts.
    pub opportunities: Vec<Uuid>,
}

impl Person {
    /// What tells who they are, for example `lead/0190...`; not their opportunities.
    pub fn entities(&self) -> Vec<String> {
        let of = |kind: &'static str, ids: &[Uuid]| {
            ids.iter().map(move |id| format!("{kind}/{id}")).collect::<Vec<_>>()
        };
        [of("lead", &self.leads), of("contact", &self.contacts), of("account", &self.accounts)].concat()
    }
}

/// A record of a person, locked.
#[derive(Debug, QueryableByName)]
pub struct Found {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
    /// Their e-mail address, or what orders call them.
    #[diesel(sql_type = Nullable<Text>)]
    pub known_as: Option<String>,
}

/// These leads, those with these e-mail addresses, those of such contacts; and all that any of them was merged with.
pub async fn leads(
    conn: &mut Conn,
    ids: &[Uuid],
    contacts: &[Uuid],
    emails: &[String],
) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "WITH RECURSIVE person AS (
             SELECT id, merged_into FROM leads WHERE id = ANY($1) OR email = ANY($3) OR id IN
                 (SELECT lead_id FROM contacts WHERE id = ANY($2) OR email = ANY($3))
             UNION
             SELECT l.id, l.merged_into FROM leads l JOIN person p ON l.merged_into = p.id OR l.id = p.merged_into)
         SELECT id, name, phone, email AS known_as FROM leads WHERE id IN (SELECT id FROM person)
         ORDER BY id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(contacts)
    .bind::<Array<Text>, _>(emails)
    .load(conn)
    .await
}

/// These contacts, those that were these leads, and those with these e-mail addresses.
pub async fn contacts(
    conn: &mut Conn,
    ids: &[Uuid],
    leads: &[Uuid],
    emails: &[String],
) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "SELECT id, name, phone, email AS known_as FROM contacts
         WHERE id = ANY($1) OR lead_id = ANY($2) OR email = ANY($3) ORDER BY id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(leads)
    .bind::<Array<Text>, _>(emails)
    .load(conn)
    .await
}

/// These accounts, those that orders call by these names, and those where the person's contacts and opportunities are
/// if they are called as the person is: what else would be an account is a company, and no person.
pub async fn accounts(
    conn: &mut Conn,
    ids: &[Uuid],
    customers: &[String],
    person: &Person,
    called: &[String],
) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "SELECT id, name, NULL AS phone, customer_id AS known_as FROM accounts
         WHERE id = ANY($1) OR lower(customer_id) IN (SELECT lower(name) FROM unnest($2) AS name)
            OR lower(name) IN (SELECT lower(name) FROM unnest($3) AS name) AND id IN (
                SELECT account_id FROM contacts WHERE id = ANY($4)
                UNION SELECT account_id FROM opportunities WHERE lead_id = ANY($5))
         ORDER BY id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(customers)
    .bind::<Array<Text>, _>(called)
    .bind::<Array<SqlUuid>, _>(&person.contacts)
    .bind::<Array<SqlUuid>, _>(&person.leads)
    .load(conn)
    .await
}

/// What came of the person's leads and contacts.
pub async fn opportunities(conn: &mut Conn, person: &Person) -> QueryResult<Vec<Uuid>> {
    opportunities::table
        .filter(opportunities::lead_id.eq_any(&person.leads))
        .or_filter(opportunities::contact_id.eq_any(&person.contacts))
        .order(opportunities::id)
        .select(opportunities::id)
        .for_update()
        .load(conn)
        .await
}

/// Removes what is noted about these records, and what people noted about these opportunities; answers which.
pub async fn remove_activities(
    conn: &mut Conn,
    entities: &[String],
    opportunities: &[Uuid],
) -> QueryResult<Vec<Uuid>> {
    let about: Vec<_> = opportunities.iter().map(|id| format!("opportunity/{id}")).collect();
    let by_people = activities::entity.eq_any(about).and(activities::author.ne(""));
    diesel::delete(activities::table.filter(activities::entity.eq_any(entities).or(by_people)))
        .returning(activities::id)
        .get_results(conn)
        .await
}

/// What imports called these leads, and said of them.
pub async fn empty_import_rows(conn: &mut Conn, leads: &[Uuid]) -> QueryResult<usize> {
    diesel::delete(lead_keys::table.filter(lead_keys::lead_id.eq_any(leads))).execute(conn).await?;
    diesel::sql_query(
        "UPDATE import_rows SET key = NULL, data = NULL, faults = NULL, lead_id = NULL WHERE lead_id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(leads)
    .execute(conn)
    .await
}

/// Takes out of the person's opportunities, their earlier states included, how they are called; answers how many they
/// are. What belonged to the person's contacts or accounts belongs to none.
pub async fn unname_opportunities(
    conn: &mut Conn,
    person: &Person,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE opportunities SET contact_id = NULL WHERE contact_id = ANY($1) AND NOT id = ANY($2)",
    )
    .bind::<Array<SqlUuid>, _>(&person.contacts)
    .bind::<Array<SqlUuid>, _>(&person.opportunities)
    .execute(conn)
    .await?;
    let accounts = opportunities::table.filter(opportunities::account_id.eq_any(&person.accounts));
    diesel::update(accounts).set(opportunities::account_id.eq(None::<Uuid>)).execute(conn).await?;
    diesel::sql_query(
        r#"UPDATE history SET state = state || '{"name": null}', previous = previous || '{"name": null}'
           WHERE entity IN (SELECT 'opportunity/' || id FROM unnest($1) AS id)"#,
    )
    .bind::<Array<SqlUuid>, _>(&person.opportunities)
    .execute(conn)
    .await?;
    diesel::sql_query(
        "UPDATE opportunities SET name = NULL, contact_id = NULL, version = version + 1, updated_at = $2
         WHERE id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(&person.opportunities)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await
}

/// Removes the person's contacts.
pub async fn remove_contacts(conn: &mut Conn, person: &Person) -> QueryResult<usize> {
    diesel::delete(contacts::table.filter(contacts::id.eq_any(&person.contacts))).execute(conn).await
}

/// Removes the person's accounts. Who else was there is nowhere.
pub async fn remove_accounts(conn: &mut Conn, person: &Person) -> QueryResult<usize> {
    let theirs = contacts::table.filter(contacts::account_id.eq_any(&person.accounts));
    diesel::update(theirs).set(contacts::account_id.eq(None::<Uuid>)).execute(conn).await?;
    let below = accounts::table.filter(accounts::parent_id.eq_any(&person.accounts));
    diesel::update(below).set(accounts::parent_id.eq(None::<Uuid>)).execute(conn).await?;
    diesel::delete(accounts::table.filter(accounts::id.eq_any(&person.accounts))).execute(conn).await
}

/// Removes the person's leads, and what is known of their likeness and their merges.
pub async fn remove_leads(conn: &mut Conn, person: &Person) -> QueryResult<usize> {
    let ids = &person.leads;
    let pairs = lead_duplicates::lead_id.eq_any(ids).or(lead_duplicates::other_id.eq_any(ids));
    diesel::delete(lead_duplicates::table.filter(pairs)).execute(conn).await?;
    let merges = lead_merges::survivor.eq_any(ids).or(lead_merges::merged.eq_any(ids));
    diesel::delete(lead_merges::table.filter(merges)).execute(conn).await?;
    diesel::delete(leads::table.filter(leads::id.eq_any(ids))).execute(conn).await
}

/// How many leads, opportunities, accounts and contacts these users work on, and activities they noted.
pub async fn count_work(conn: &mut Conn, users: &[String]) -> QueryResult<usize> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    if users.is_empty() {
        return Ok(0);
    }
    let of = |table, column| format!("(SELECT count(*) FROM {table} WHERE {column} = ANY($1))");
    let counts = [
        of("leads", "owner"),
        of("opportunities", "owner"),
        of("accounts", "owner"),
        of("contacts", "owner"),
        of("activities", "author"),
    ];
    let count = diesel::sql_query(format!("SELECT {} AS count", counts.join(" + ")));
    let count = count.bind::<Array<Text>, _>(users).get_result::<Count>(conn).await?.count;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
