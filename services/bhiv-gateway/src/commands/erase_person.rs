use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Column, Command, Erasure, Fault, Tx};

use crate::domain::consent::canonical;
use crate::store::erasure;

/// Removes what tells who a person is: what was reported about them, every event about them that streams can go back to
/// or webhooks have to deliver, what they consented to; and of a user, the user with their keys, subscriptions and
/// agents. Their sessions are ended afterwards, see [`crate::erased`].
#[derive(Debug)]
pub struct ErasePerson(pub ErasureRequested);

impl Command for ErasePerson {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let mut erasure = tx.begin_erasure(&self.0).await?;
        users(tx, &mut erasure).await?;
        let names = erasure.names();
        let bare = names.iter().filter_map(|name| name.split_once('/')).map(|(_, id)| id.to_owned());
        let reported: Vec<_> = names.iter().cloned().chain(bare).collect();
        erasure.removed("reported events", erasure::remove_reports(tx.conn(), &reported).await?);
        let people: Vec<_> = names.iter().map(|name| canonical(name)).chain(reported).collect();
        erasure.removed("consents", erasure::remove_consents(tx.conn(), &people).await?);
        for (what, column) in [
            ("latest events", Column::json("live_events", "event")),
            ("deliveries of webhooks", Column::json("webhook_deliveries", "event")),
            ("outcomes of reported events", Column::json("unified_outcomes", "data")),
        ] {
            let removed = erasure.delete_telling(tx.conn(), column).await?;
            erasure.removed(what, removed);
        }
        for column in [
            Column::json("unified_events", "metadata"),
            Column::text("subscriptions", "description"),
            Column::text("webhook_attempts", "error"),
        ] {
            let texts = erasure.redact(tx.conn(), column).await?;
            erasure.removed("texts", texts);
        }
        tx.finish_erasure(erasure).await?;
        Ok(())
    }
}

async fn users(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let users = erasure::users(tx.conn(), &erasure.ids("user"), &erasure.plain()).await?;
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    for user in users {
        erasure.also(format!("user/{}", user.id));
        erasure.also(user.email);
        erasure.words([user.name]);
    }
    // Of those whom we do not know, such as users of an outside issuer, these are here still.
    let owners: Vec<String> = erasure.ids("user").into_iter().chain(erasure.names()).collect();
    let now = tx.now();
    erasure.removed("subscriptions", erasure::remove_subscriptions(tx.conn(), &ids, &owners).await?);
    erasure.removed("agents", erasure::remove_agents(tx.conn(), &owners).await?);
    erasure::note_sessions(tx.conn(), &ids, now).await?;
    erasure.removed("keys", erasure::remove_keys(tx.conn(), &ids).await?);
    erasure.removed("users", erasure::remove_users(tx.conn(), &ids).await?);
    Ok(())
}
