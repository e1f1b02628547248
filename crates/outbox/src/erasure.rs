//! Forgetting a person: what every service does about `erasure_requested` beside its own tables.
//!
//! A service has [`ERASURE`] among its migrations and one handler, in whose transaction everything happens:
//!
//! ```ignore
//! let mut erasure = tx.begin_erasure(&request).await?;
//! for id in erasure.ids("lead") {
//!     let lead = lead::remove(tx.conn(), id).await?;
//!     erasure.also(lead.email);      // known as that too: late news of it is recognised
//!     erasure.words([lead.name]);    // tells who it is wherever it stands
//! }
//! erasure.removed("leads", count);
//! let count = erasure.redact(tx.conn(), Column::text("activities", "summary")).await?;
//! erasure.kept("opportunities", 1, "Sums have to be kept; nothing in them tells who the person is");
//! tx.finish_erasure(erasure).await?;
//! ```
//!
//! Handlers of other events ask [`Tx::mentions_erased`] before they make records from what they hear. Both take
//! a lock, so that neither overlooks what the other has not committed yet.
//!
//! Of the tables of this crate, `outbox` is left alone: what stands there is published within a second, and its
//! row deleted. Parked messages about the person are deleted; a stored answer to a request that tells of them
//! is emptied, and the request refused when it comes again.

mod messages;
mod names;
mod words;

pub use words::Column;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use bhiv_db::{Conn, DieselError};
use bhiv_events::compliance::ErasureRequested;
use bhiv_events::{Event, Kept, PersonErased, Removed};
use uuid::Uuid;

use crate::{Tx, history};

pub(crate) use messages::EMPTIED;
use words::Words;

/// The table of those who were forgotten, for services that know of people.
pub const ERASURE: diesel_migrations::EmbeddedMigrations =
    diesel_migrations::embed_migrations!("migrations-erasure");

/// An erasure under way in one service.
#[derive(Debug)]
pub struct Erasure {
    id: Uuid,
    person: String,
    names: BTreeSet<String>,
    words: BTreeSet<String>,
    removed: BTreeMap<&'static str, i64>,
    kept: Vec<Kept>,
}

impl Erasure {
    fn of(request: &ErasureRequested) -> Self {
        let names = request.names().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Self {
            id: request.erasure_id,
            person: told(request.erasure_id, &request.person),
            names: names.collect(),
            words: BTreeSet::new(),
            removed: BTreeMap::new(),
            kept: Vec::new(),
        }
    }

    /// All that the person is known as so far: `lead/0190...`, or plain, as an e-mail address is.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().cloned().collect()
    }

    /// The names that are not of the form `<kind>/<id>`, in small letters: e-mail addresses, ids of customers.
    pub fn plain(&self) -> Vec<String> {
        self.names.iter().filter(|name| !is_entity(name)).map(|name| name.to_lowercase()).collect()
    }

    /// The ids among the names that are of this kind: with `lead`, those of `lead/<id>`.
    pub fn ids<T: FromStr>(&self, kind: &str) -> Vec<T> {
        let ids = self.names.iter().filter_map(|name| name.strip_prefix(kind)?.strip_prefix('/'));
        ids.filter_map(|id| id.parse().ok()).collect()
    }

    /// The person is known as that too: it is recognised when it comes late.
    pub fn also(&mut self, name: impl Into<String>) {
        let name = name.into().trim().to_owned();
        if !name.is_empty() {
            self.names.insert(name);
        }
    }

    /// That tells who the person is, wherever it stands, and is no name in the sense of [`Erasure::also`]: what
    /// they are called, their phone number. A single word, and what has less than five letters and digits, is not looked
    /// for: it stands in texts about other things.
    pub fn words(&mut self, words: impl IntoIterator<Item = impl Into<String>>) {
        self.words.extend(words.into_iter().map(|word| word.into().trim().to_owned()));
    }

    /// So many were removed, or made nameless, beside those that were before. None is not told.
    pub fn removed(&mut self, what: &'static str, count: usize) {
        if count > 0 {
            *self.removed.entry(what).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
        }
    }

    /// So many stay, and why they may. None is not told.
    pub fn kept(&mut self, what: &str, count: usize, why: &str) {
        if count > 0 {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.kept.push(Kept { what: what.to_owned(), count, why: why.to_owned() });
        }
    }

    /// Whether a text says who the person is: one of the names or words stands in it, as whole words, in
    /// letters of any size.
    pub fn is_told_by(&self, text: &str) -> bool {
        self.telling().is_in(text)
    }

    /// Puts `[erased]` for what says who the person is, in every row of a column; answers how many there were. In JSON a
    /// text that is an id, an e-mail address, a number, a date or a time stays one, so that who reads records out of it
    /// still can: the nil id, an address that never is, 0, the first of 1970. Reads the whole table.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn redact(&self, conn: &mut Conn, column: Column) -> Result<usize, DieselError> {
        self.telling().redact(conn, column).await
    }

    /// Deletes the rows that say in this column who the person is; answers how many there were. Reads the whole
    /// table.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_telling(&self, conn: &mut Conn, column: Column) -> Result<usize, DieselError> {
        self.telling().delete(conn, column).await
    }

    /// [`Erasure::redact`] in all that was kept of records' earlier states.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn redact_history(&self, conn: &mut Conn) -> Result<usize, DieselError> {
        let states = self.redact(conn, Column::json("history", "state")).await?;
        Ok(states + self.redact(conn, Column::json("history", "previous")).await?)
    }

    /// Deletes what was kept of the earlier states of these records, for example `lead/0190...`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_history(&mut self, conn: &mut Conn, entities: &[String]) -> Result<(), DieselError> {
        let forgotten = history::forget_all(conn, entities).await?;
        self.removed("earlier states", forgotten);
        Ok(())
    }

    fn telling(&self) -> Words {
        let ids = self.names.iter().map(|name| name.split_once('/').map_or(name.as_str(), |(_, id)| id));
        Words::new(ids.chain(self.words.iter().map(String::as_str)))
    }
}

/// How an erasure calls the person when it tells of itself: as asked, if that is the id of a record; otherwise
/// by the erasure's own, because an e-mail address must not stand where it is to be removed.
pub fn told(erasure_id: Uuid, person: &str) -> String {
    if is_entity(person) { person.to_owned() } else { format!("erasure/{erasure_id}") }
}

fn is_entity(name: &str) -> bool {
    name.split_once('/').is_some_and(|(kind, id)| {
        !kind.is_empty()
            && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && !id.is_empty()
    })
}

impl Tx {
    /// Begins to forget a person. Until the transaction ends, handlers that ask [`Tx::mentions_erased`] wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_erasure(&mut self, request: &ErasureRequested) -> Result<Erasure, DieselError> {
        names::lock(self.conn()).await?;
        Ok(Erasure::of(request))
    }

    /// Remembers who was forgotten, cleans the tables of messages, and records the audit row `person.erase`,
    /// which has the counts alone, and [`PersonErased`]. Needs [`ERASURE`] among the service's migrations.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_erasure(&mut self, erasure: Erasure) -> Result<(), DieselError> {
        self.tell_erasure(erasure).await.map(drop)
    }

    /// As [`Tx::finish_erasure`], and answers what it told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_erasure(&mut self, mut erasure: Erasure) -> Result<PersonErased, DieselError> {
        let now = self.now();
        let names = erasure.names();
        names::remember(self.conn(), &names, now).await?;
        let telling = erasure.telling();
        let answers = messages::empty_answers(self.conn(), &telling).await?;
        erasure.removed("stored answers", answers);
        let parked = messages::delete_parked(self.conn(), &telling).await?;
        erasure.removed("parked messages", parked);
        messages::forget_stories(self.conn(), &names).await?;
        let removed =
            erasure.removed.into_iter().map(|(what, count)| Removed { what: what.to_owned(), count });
        let told = PersonErased {
            erasure_id: erasure.id,
            person: erasure.person,
            removed: removed.collect(),
            kept: erasure.kept,
        };
        let counts = serde_json::json!({"removed": told.removed, "kept": told.kept});
        self.audit("person.erase", format!("erasure/{}", told.erasure_id), None, Some(&counts));
        self.erased(&told);
        Ok(told)
    }

    /// Whether somebody who is known as that was forgotten here, at any time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_erased(&mut self, name: &str) -> Result<bool, DieselError> {
        names::lock_shared(self.conn()).await?;
        names::is_erased(self.conn(), name).await
    }

    /// Whether an event tells of somebody who was forgotten here, by its subject or by any text of its data, so that
    /// nothing may be made of it. `lead_id` and the like count as `lead/<id>`.
    ///
    /// The ids of records are theirs for ever. A plain name, as the number of a customer, counts for events of before
    /// the day after the erasure: whoever comes again later is a new customer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mentions_erased(&mut self, event: &Event) -> Result<bool, DieselError> {
        Ok(self.erased_among(&[event]).await?.contains(&true))
    }

    /// [`Tx::mentions_erased`] of each event, for handlers that take many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erased_among(&mut self, events: &[&Event]) -> Result<Vec<bool>, DieselError> {
        names::lock_shared(self.conn()).await?;
        names::erased_among(self.conn(), events).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_not_told() {
        let id = Uuid::nil();
        assert_eq!(told(id, "lead/1"), "lead/1");
        assert_eq!(told(id, "asha@example.com"), format!("erasure/{id}"));
        assert_eq!(told(id, "Asha Verma"), format!("erasure/{id}"));
        assert_eq!(told(id, "A/B Stores"), format!("erasure/{id}"));
    }

    #[test]
    fn names_are_told_apart() {
        let request = ErasureRequested {
            erasure_id: Uuid::nil(),
            person: format!("lead/{}", Uuid::nil()),
            also: vec!["Asha@Example.com ".to_owned(), String::new(), "user/ravi".to_owned()],
        };
        let erasure = Erasure::of(&request);
        assert_eq!(erasure.plain(), ["asha@example.com"]);
        assert_eq!(erasure.ids::<Uuid>("lead"), [Uuid::nil()]);
        assert_eq!(erasure.ids::<String>("user"), ["ravi"]);
        assert!(erasure.is_told_by("mail to ASHA@example.com, please"));
        assert!(!erasure.is_told_by("natasha@example.com"));
    }
}
