//! Row structs and every query. A row is also what the API shows of it.

/// Those of a query's rows that somebody may see: `within!(query, leads, &reach)`. Tables whose records have an
/// `owner` and a `team` ask for it in every list; for a single record there is [`Owned::within`].
macro_rules! within {
    ($query:expr, $table:ident, $reach:expr) => {
        match $reach {
            bhiv_auth::Reach::All => $query,
            bhiv_auth::Reach::Own { user, team } => {
                let own = $table::owner.eq($crate::domain::owner::Owner::from(user.clone()));
                let nobodys =
                    $table::owner.eq($crate::domain::owner::Owner::default()).and($table::team.is_null());
                match team {
                    Some(team) => $query.filter(own.or(nobodys).or($table::team.eq(team.clone()))),
                    None => $query.filter(own.or(nobodys)),
                }
            }
        }
    };
}

pub mod account;
pub mod activity;
pub mod contact;
pub mod duplicate;
pub mod erasure;
pub mod import;
pub mod lead;
pub mod merge;
pub mod opportunity;
pub mod order_link;
pub mod pipeline;
pub mod stage;

use bhiv_auth::Reach;

use crate::domain::account::{AccountStatus, AccountType};
use crate::domain::ids::{AccountId, ContactId, LeadId, OpportunityId};
use crate::domain::import::{ImportStatus, OnError, RowOutcome};
use crate::domain::lead::{Authority, LeadStatus};
use crate::domain::opportunity::Stage;
use crate::domain::owner::Owner;

bhiv_types::uuid_columns!(LeadId, OpportunityId, AccountId, ContactId);
bhiv_types::text_columns!(ImportStatus, OnError, RowOutcome);
bhiv_types::text_columns!(LeadStatus, Authority, Stage, AccountType, AccountStatus, Owner);

/// A record that somebody works on.
pub trait Owned: Sized {
    /// Who.
    fn owner(&self) -> &Owner;

    /// Which team.
    fn team(&self) -> Option<&str>;

    /// The record, if they may see it.
    fn within(self, reach: &Reach) -> Option<Self> {
        reach.covers(self.owner().get(), self.team()).then_some(self)
    }
}

macro_rules! owned {
    ($($record:ty),+) => {$(
        impl Owned for $record {
            fn owner(&self) -> &Owner {
                &self.owner
            }

            fn team(&self) -> Option<&str> {
                self.team.as_deref()
            }
        }
    )+};
}

owned!(import::Import, lead::Lead, opportunity::Opportunity, account::Account, contact::Contact);
