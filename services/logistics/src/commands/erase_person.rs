use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Column, Command, Erasure, Fault, Tx};
use uuid::Uuid;

use crate::store::erasure;

const ACCOUNTS: &str = "What was ordered and paid has to be kept for the accounts; the customer is taken out";
const WORK: &str = "Who changed what is an id; the name behind it is the gateway's, which removes it";

/// Where people write about others, besides the records of those themselves.
const TEXTS: [(&str, &str); 7] = [
    ("orders", "status_reason"),
    ("deliveries", "special_instructions"),
    ("deliveries", "status_reason"),
    ("tracking_events", "note"),
    ("proofs", "received_by"),
    ("stock_movements", "reason"),
    ("stock", "change_reason"),
];

/// Removes what tells who a person is: the customer of their orders, where these were delivered, what was noted on the
/// way, the pictures; the name and numbers of a courier or a supplier's person. Orders stay for the accounts.
#[derive(Debug)]
pub struct ErasePerson(pub ErasureRequested);

impl Command for ErasePerson {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let mut erasure = tx.begin_erasure(&self.0).await?;
        let orders = orders(tx, &mut erasure).await?;
        deliveries(tx, &mut erasure, &orders).await?;
        partners(tx, &mut erasure).await?;
        for (table, column) in TEXTS {
            let texts = erasure.redact(tx.conn(), Column::text(table, column)).await?;
            erasure.removed("texts", texts);
        }
        let states = erasure.redact_history(tx.conn()).await?;
        erasure.removed("earlier states", states);
        let actors: Vec<_> = erasure.ids::<String>("user").iter().map(|id| format!("user/{id}")).collect();
        let work = erasure::count_work(tx.conn(), &actors).await?;
        erasure.kept("notes of who changed what", work, WORK);
        tx.finish_erasure(erasure).await?;
        Ok(())
    }
}

/// Orders that name the person as their customer, as whatever they are known, or that are named themselves, as
/// `order/<id>` or `opportunity/<id>`. Which opportunity came of which lead is not known here.
async fn orders(tx: &mut Tx, erasure: &mut Erasure) -> Result<Vec<Uuid>, DieselError> {
    let names = erasure.names();
    let bare = names.iter().filter_map(|name| name.split_once('/')).map(|(_, id)| id.to_owned());
    let customers: Vec<_> = names.iter().cloned().chain(bare).collect();
    let (ids, opportunities) = (erasure.ids("order"), erasure.ids("opportunity"));
    let now = tx.now();
    let orders = erasure::unname_orders(tx.conn(), &ids, &opportunities, &customers, now).await?;
    erasure.kept("orders", orders.len(), ACCOUNTS);
    Ok(orders)
}

async fn deliveries(tx: &mut Tx, erasure: &mut Erasure, orders: &[Uuid]) -> Result<(), DieselError> {
    let now = tx.now();
    let deliveries = erasure::unname_deliveries(tx.conn(), orders, now).await?;
    erasure.removed("addresses of deliveries", deliveries.len());
    erasure.removed("notes on the way", erasure::unplace_events(tx.conn(), &deliveries).await?);
    erasure.removed("proofs", erasure::remove_proofs(tx.conn(), &deliveries).await?);
    let entities: Vec<_> = deliveries.iter().map(|id| format!("delivery/{id}")).collect();
    erasure.forget_history(tx.conn(), &entities).await
}

/// Couriers are people; of suppliers, one person's address and number may stand there.
async fn partners(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let now = tx.now();
    let couriers = erasure::unname_couriers(tx.conn(), &erasure.ids("courier"), now).await?;
    let suppliers =
        erasure::unname_suppliers(tx.conn(), &erasure.ids("supplier"), &erasure.plain(), now).await?;
    erasure.removed("couriers", couriers.len());
    erasure.removed("addresses of suppliers", suppliers.len());
    let entities: Vec<_> = couriers
        .iter()
        .map(|found| format!("courier/{}", found.id))
        .chain(suppliers.iter().map(|found| format!("supplier/{}", found.id)))
        .collect();
    for found in couriers.into_iter().chain(suppliers) {
        erasure.words(found.name);
        erasure.words(found.phone);
        if let Some(email) = found.email {
            erasure.also(email);
        }
    }
    erasure.forget_history(tx.conn(), &entities).await
}
