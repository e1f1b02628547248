use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Column, Command, Erasure, Fault, Tx};

use crate::store::erasure::{self, Person};

const SUMS: &str =
    "Value, stage and dates are the sums of the pipeline; name, contact and account are taken out";
const WORK: &str = "Who works on a record is an id; the name behind it is the gateway's, which removes it";

/// Where people write about others, besides the records of those themselves.
const TEXTS: [(&str, &str); 7] = [
    ("activities", "summary"),
    ("activities", "body"),
    ("opportunities", "name"),
    ("opportunities", "lost_reason"),
    ("leads", "need"),
    ("leads", "timeline"),
    ("import_rows", "key"),
];

/// Removes what tells who a person is: their leads, those that were merged with them included, their contacts and
/// accounts, what was noted about these, and their earlier states. Opportunities stay without a name.
#[derive(Debug)]
pub struct ErasePerson(pub ErasureRequested);

impl Command for ErasePerson {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let mut erasure = tx.begin_erasure(&self.0).await?;
        let person = find(tx, &mut erasure).await?;
        remove(tx, &mut erasure, &person).await?;
        for (table, column) in TEXTS {
            let texts = erasure.redact(tx.conn(), Column::text(table, column)).await?;
            erasure.removed("texts", texts);
        }
        for column in ["data", "faults"] {
            let rows = erasure.redact(tx.conn(), Column::json("import_rows", column)).await?;
            erasure.removed("rows of imports", rows);
        }
        let states = erasure.redact_history(tx.conn()).await?;
        erasure.removed("earlier states", states);
        let work = erasure::count_work(tx.conn(), &erasure.ids::<String>("user")).await?;
        erasure.kept("records that they work on", work, WORK);
        tx.finish_erasure(erasure).await?;
        Ok(())
    }
}

/// Who the person is here. An e-mail address finds leads and contacts, the name of a customer accounts; what somebody is
/// called finds nobody, because others are called so too.
async fn find(tx: &mut Tx, erasure: &mut Erasure) -> Result<Person, DieselError> {
    let (plain, names) = (erasure.plain(), erasure.names());
    let (leads, contacts) = (erasure.ids("lead"), erasure.ids("contact"));
    let leads = erasure::leads(tx.conn(), &leads, &contacts, &plain).await?;
    let ids: Vec<_> = leads.iter().map(|lead| lead.id).collect();
    let contacts = erasure::contacts(tx.conn(), &contacts, &ids, &plain).await?;
    let called: Vec<_> = leads.iter().chain(&contacts).map(|it| it.name.clone()).collect();
    let mut person = Person {
        leads: ids,
        contacts: contacts.iter().map(|contact| contact.id).collect(),
        accounts: Vec::new(),
        opportunities: Vec::new(),
    };
    let accounts = erasure::accounts(tx.conn(), &erasure.ids("account"), &names, &person, &called).await?;
    person.accounts = accounts.iter().map(|account| account.id).collect();
    person.opportunities = erasure::opportunities(tx.conn(), &person).await?;
    for entity in person.entities() {
        erasure.also(entity);
    }
    for found in leads.into_iter().chain(contacts).chain(accounts) {
        erasure.words([found.name]);
        erasure.words(found.phone);
        if let Some(name) = found.known_as {
            erasure.also(name);
        }
    }
    Ok(person)
}

async fn remove(tx: &mut Tx, erasure: &mut Erasure, person: &Person) -> Result<(), DieselError> {
    let entities = person.entities();
    let notes = erasure::remove_activities(tx.conn(), &entities, &person.opportunities).await?;
    erasure.removed("activities", notes.len());
    let earlier: Vec<_> =
        entities.into_iter().chain(notes.iter().map(|id| format!("activity/{id}"))).collect();
    erasure.forget_history(tx.conn(), &earlier).await?;
    let rows = erasure::empty_import_rows(tx.conn(), &person.leads).await?;
    erasure.removed("rows of imports", rows);
    let now = tx.now();
    let opportunities = erasure::unname_opportunities(tx.conn(), person, now).await?;
    erasure.kept("opportunities", opportunities, SUMS);
    erasure.removed("contacts", erasure::remove_contacts(tx.conn(), person).await?);
    erasure.removed("accounts", erasure::remove_accounts(tx.conn(), person).await?);
    erasure.removed("leads", erasure::remove_leads(tx.conn(), person).await?);
    Ok(())
}
