use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde_json::Value;
use uuid::Uuid;

use crate::store::saved_search::{self, SavedSearch};

/// Saves a search, or changes one of one's own.
#[derive(Clone, Debug)]
pub struct SaveSearch {
    /// Which one; a new one if it is none.
    pub id: Option<Uuid>,
    /// What it is called.
    pub name: String,
    /// Its filters.
    pub query: Value,
    /// Whether everybody may use it.
    pub shared: bool,
}

/// Takes away a search of one's own.
#[derive(Clone, Copy, Debug)]
pub struct DropSearch {
    /// Which one.
    pub id: Uuid,
}

/// Why a search is not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveSearchError {
    /// There is none of theirs.
    #[error("there is no search {0} of yours")]
    NotFound(Uuid),
    /// Another one of theirs is called so.
    #[error("another search of yours is called '{0}'")]
    NameTaken(String),
}

impl Refusal for SaveSearchError {}

impl Command for SaveSearch {
    type Output = SavedSearch;
    type Refusal = SaveSearchError;

    async fn run(&self, tx: &mut Tx) -> Result<SavedSearch, Fault<SaveSearchError>> {
        let owner = tx.actor().to_owned();
        let before = match self.id {
            None => None,
            Some(id) => {
                let found = saved_search::lock(tx.conn(), &owner, id).await?;
                Some(found.ok_or(SaveSearchError::NotFound(id))?)
            }
        };
        let now = tx.now();
        let after = SavedSearch {
            id: before.as_ref().map_or_else(|| tx.id(), |before| before.id),
            owner,
            name: self.name.clone(),
            query: self.query.clone(),
            shared: self.shared,
            version: before.as_ref().map_or(1, |before| before.version + 1),
            created_at: before.as_ref().map_or(now, |before| before.created_at),
            changed_at: now,
        };
        if saved_search::is_taken(tx.conn(), &after).await? {
            return Err(SaveSearchError::NameTaken(after.name).into());
        }
        let action = if before.is_some() {
            saved_search::update(tx.conn(), &after).await?;
            "search.change"
        } else {
            saved_search::insert(tx.conn(), &after).await?;
            "search.save"
        };
        let entity = format!("search/{}", after.id);
        tx.audit(action, entity, before.as_ref().map(|it| it as _), Some(&after));
        Ok(after)
    }
}

impl Command for DropSearch {
    type Output = ();
    type Refusal = SaveSearchError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<SaveSearchError>> {
        let owner = tx.actor().to_owned();
        let found = saved_search::lock(tx.conn(), &owner, self.id).await?;
        let before = found.ok_or(SaveSearchError::NotFound(self.id))?;
        saved_search::delete(tx.conn(), self.id).await?;
        tx.audit("search.drop", format!("search/{}", self.id), Some(&before), None);
        Ok(())
    }
}
