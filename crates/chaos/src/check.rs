//! What was committed against what came of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use bhiv_db::Conn;
use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use uuid::Uuid;

use crate::Result;
use crate::control::Servers;
use crate::lab::Act;
use crate::load::Accepted;

/// A change as the source committed it.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct Committed {
    #[diesel(sql_type = SqlUuid)]
    change_id: Uuid,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Integer)]
    subject: i32,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    act: String,
}

#[derive(Debug, diesel::QueryableByName)]
struct Effect {
    #[diesel(sql_type = Text)]
    consumer: String,
    #[diesel(sql_type = SqlUuid)]
    change_id: Uuid,
    #[diesel(sql_type = Integer)]
    subject: i32,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

#[derive(Debug, diesel::QueryableByName)]
struct Echo {
    #[diesel(sql_type = SqlUuid)]
    change_id: Uuid,
}

#[derive(Debug, diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Reads both schemas.
#[derive(Debug)]
pub struct Checker {
    source: String,
    sink: String,
}

impl Checker {
    /// For the lab on `servers`.
    pub fn new(servers: &Servers) -> Self {
        Self { source: servers.schema_url("crm"), sink: servers.schema_url("task") }
    }

    /// What is still under way, in words; `None` when nothing is. Messages in queues are not seen here, but
    /// every effect that is missing is.
    pub async fn pending(&self) -> Result<Option<String>> {
        let mut source = Conn::establish(&self.source).await?;
        let mut sink = Conn::establish(&self.sink).await?;
        let never = Act::Never.name();
        let changes = count(&mut source, "changes").await?;
        let answered = count(&mut source, &format!("changes WHERE act <> '{never}'")).await?;
        let effects =
            |consumer| format!("(SELECT DISTINCT change_id FROM effects WHERE consumer = '{consumer}') AS x");
        let figures = [
            ("rows in the source's outbox", count(&mut source, "outbox").await?, 0),
            ("rows parked at the source", count(&mut source, "outbox_parked").await?, 0),
            ("rows in the sink's outbox", count(&mut sink, "outbox").await?, 0),
            ("rows parked at the sink's outbox", count(&mut sink, "outbox_parked").await?, 0),
            ("messages parked at the sink", count(&mut sink, "inbox_parked").await?, 0),
            ("messages parked at the source", count(&mut source, "inbox_parked").await?, 0),
            ("strict effects", count(&mut sink, &effects("lab.strict")).await?, changes),
            ("audit effects", count(&mut sink, &effects("lab.audit")).await?, changes),
            ("effects of each", count(&mut sink, &effects("lab.each")).await?, answered),
            ("echoes", count(&mut source, "(SELECT DISTINCT change_id FROM echoes) AS x").await?, answered),
        ];
        let missing: Vec<_> = figures
            .iter()
            .filter(|(_, is, wanted)| is != wanted)
            .map(|(what, is, wanted)| format!("{is} {what} instead of {wanted}"))
            .collect();
        Ok((!missing.is_empty()).then(|| missing.join(", ")))
    }

    /// Compares everything; answers how many changes there are. An error names the first fault.
    pub async fn verify(&self, accepted: &HashMap<String, Accepted>) -> Result<usize> {
        let mut source = Conn::establish(&self.source).await?;
        let changes: Vec<Committed> = diesel::sql_query(
            "SELECT change_id, key, subject, version, act FROM changes ORDER BY subject, version",
        )
        .load(&mut source)
        .await?;
        let echoes: Vec<Echo> = diesel::sql_query("SELECT change_id FROM echoes").load(&mut source).await?;
        let mut sink = Conn::establish(&self.sink).await?;
        let effects: Vec<Effect> =
            diesel::sql_query("SELECT consumer, change_id, subject, version FROM effects ORDER BY place")
                .load(&mut sink)
                .await?;

        requests(&changes, accepted)?;
        let all: HashSet<Uuid> = changes.iter().map(|change| change.change_id).collect();
        let never = Act::Never.name();
        let answered: HashSet<Uuid> =
            changes.iter().filter(|change| change.act != never).map(|change| change.change_id).collect();
        let of = |consumer: &str| -> Vec<&Effect> {
            effects.iter().filter(|effect| effect.consumer == consumer).collect()
        };
        let ids = |effects: &[&Effect]| effects.iter().map(|effect| effect.change_id).collect::<Vec<_>>();
        once("lab.strict", &ids(&of("lab.strict")), &all)?;
        once("lab.audit", &ids(&of("lab.audit")), &all)?;
        once("lab.each", &ids(&of("lab.each")), &answered)?;
        once("echoes", &echoes.iter().map(|echo| echo.change_id).collect::<Vec<_>>(), &answered)?;
        strict(&of("lab.strict"))?;
        latest(&of("lab.latest"), &changes)?;
        Ok(changes.len())
    }
}

async fn count(conn: &mut Conn, from: &str) -> Result<i64> {
    let count: Count =
        diesel::sql_query(format!("SELECT count(*) AS count FROM {from}")).get_result(conn).await?;
    Ok(count.count)
}

/// Each accepted request has the changes that it asked for, once, and nobody else has any.
fn requests(changes: &[Committed], accepted: &HashMap<String, Accepted>) -> Result {
    let mut by_key: HashMap<&str, Vec<Uuid>> = HashMap::new();
    for change in changes {
        by_key.entry(&change.key).or_default().push(change.change_id);
    }
    for (key, Accepted { change_id, changes }) in accepted {
        let committed = by_key.remove(key.as_str()).unwrap_or_default();
        if committed.len() != *changes || !committed.contains(change_id) {
            return Err(
                format!("{key} was answered with {change_id} and has the changes {committed:?}").into()
            );
        }
    }
    match by_key.keys().next() {
        Some(key) => Err(format!("{key} has changes and was not accepted").into()),
        None => Ok(()),
    }
}

/// Exactly the wanted ones, each once.
fn once(what: &str, ids: &[Uuid], wanted: &HashSet<Uuid>) -> Result {
    let mut seen = HashSet::with_capacity(ids.len());
    for id in ids {
        if !seen.insert(*id) {
            return Err(format!("{what}: {id} happened twice").into());
        }
        if !wanted.contains(id) {
            return Err(format!("{what}: {id} happened and must not").into());
        }
    }
    match wanted.iter().find(|id| !seen.contains(id)) {
        Some(lost) => Err(format!("{what}: {lost} is lost").into()),
        None => Ok(()),
    }
}

/// Of each subject every version, in order.
fn strict(effects: &[&Effect]) -> Result {
    let mut last: HashMap<i32, i64> = HashMap::new();
    for effect in effects {
        let last = last.entry(effect.subject).or_default();
        if effect.version != *last + 1 {
            let Effect { subject, version, .. } = effect;
            return Err(format!("lab.strict: version {version} of {subject} came after {last}").into());
        }
        *last = effect.version;
    }
    Ok(())
}

/// Of each subject rising versions up to the newest.
fn latest(effects: &[&Effect], changes: &[Committed]) -> Result {
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    for effect in effects {
        let last = last.entry(effect.subject).or_default();
        if effect.version <= *last {
            let Effect { subject, version, .. } = effect;
            return Err(format!("lab.latest: version {version} of {subject} came after {last}").into());
        }
        *last = effect.version;
    }
    let mut newest: BTreeMap<i32, i64> = BTreeMap::new();
    for change in changes {
        let version = newest.entry(change.subject).or_default();
        *version = (*version).max(change.version);
    }
    if last == newest { Ok(()) } else { Err("lab.latest did not end with the newest versions".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(subject: i32, version: i64) -> Effect {
        Effect { consumer: "x".to_owned(), change_id: Uuid::nil(), subject, version }
    }

    #[test]
    fn what_is_lost_doubled_or_uncalled_for_is_found() {
        let [one, two, three] = [1, 2, 3].map(Uuid::from_u128);
        let wanted = HashSet::from([one, two]);
        assert!(once("x", &[two, one], &wanted).is_ok());
        assert!(once("x", &[one], &wanted).unwrap_err().to_string().contains("lost"));
        assert!(once("x", &[one, two, one], &wanted).unwrap_err().to_string().contains("twice"));
        assert!(once("x", &[one, two, three], &wanted).unwrap_err().to_string().contains("must not"));
    }

    #[test]
    fn a_wrong_order_is_found() {
        let good = [effect(1, 1), effect(2, 1), effect(1, 2)];
        assert!(strict(&good.iter().collect::<Vec<_>>()).is_ok());
        for bad in [[effect(1, 2), effect(1, 1)], [effect(1, 1), effect(1, 3)], [effect(1, 1), effect(1, 1)]]
        {
            assert!(strict(&bad.iter().collect::<Vec<_>>()).is_err());
        }
        let changes = [1, 2].map(|version| Committed {
            change_id: Uuid::nil(),
            key: String::new(),
            subject: 1,
            version,
            act: String::new(),
        });
        assert!(latest(&[&effect(1, 2)], &changes).is_ok());
        assert!(latest(&[&effect(1, 1)], &changes).is_err());
        assert!(latest(&[&effect(1, 2), &effect(1, 1)], &changes).is_err());
    }

    #[test]
    fn a_request_without_its_changes_or_a_change_without_its_request_is_found() {
        let change = Committed {
            change_id: Uuid::nil(),
            key: "a".to_owned(),
            subject: 1,
            version: 1,
            act: String::new(),
        };
        let accepted = HashMap::from([("a".to_owned(), Accepted { change_id: Uuid::nil(), changes: 1 })]);
        assert!(requests(std::slice::from_ref(&change), &accepted).is_ok());
        assert!(requests(&[change.clone(), change.clone()], &accepted).is_err());
        assert!(requests(&[], &accepted).is_err());
        assert!(requests(&[change], &HashMap::new()).is_err());
    }
}
