use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use chrono::TimeDelta;

use crate::store::{heard, pack};

/// How many events one transaction forgets.
pub const AT_A_TIME: usize = 1000;

/// Forgets events that are kept no longer. Answers how many.
#[derive(Debug)]
pub struct ForgetEvents {
    /// How long they are kept.
    pub days: u16,
}

impl Command for ForgetEvents {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let before = tx.now() - TimeDelta::days(self.days.into());
        let limit = i64::try_from(AT_A_TIME).unwrap_or(i64::MAX);
        Ok(heard::forget(tx.conn(), before, limit).await?)
    }
}

/// Forgets the files of evidence packs that are kept no longer. Answers of how many.
#[derive(Debug)]
pub struct ForgetPacks {
    /// How long they are kept.
    pub days: u16,
}

impl Command for ForgetPacks {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let before = tx.now() - TimeDelta::days(self.days.into());
        let limit = i64::try_from(AT_A_TIME).unwrap_or(i64::MAX);
        Ok(pack::forget(tx.conn(), before, limit).await?)
    }
}
