use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde::Serialize;
use uuid::Uuid;

use crate::domain::pack::{Content, NewPack, PackFiles};
use crate::domain::period::{InvalidPeriod, Period};
use crate::office::{CERTIFICATE, Office, RECEIPT, Unsigned};
use crate::store::pack::{self, Pack};
use crate::store::{document, erasure, heard, report};

/// Most records of one kind that a pack has.
const MOST: usize = 50_000;

/// The evidence of a period is put together.
#[derive(Debug)]
pub struct MakePack {
    /// Which period.
    pub new: NewPack,
    /// Who signs what is in it.
    pub office: Office,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum MakePackError {
    #[error(transparent)]
    Period(#[from] InvalidPeriod),
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    #[error("it would have more than {MOST} {0}: make several of shorter periods")]
    TooLarge(&'static str),
    #[error("a record has no form in JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl Refusal for MakePackError {}

/// A signed document that is in it.
#[derive(Debug, Serialize)]
struct Proof {
    /// What it says that it is.
    typ: &'static str,
    /// What it is about.
    id: Uuid,
    /// A JWS in compact form.
    jws: String,
}

impl Command for MakePack {
    type Output = Pack;
    type Refusal = MakePackError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Pack, Fault<MakePackError>> {
        let NewPack { start_date, end_date } = self.new;
        let period = Period::new(start_date, end_date).map_err(MakePackError::from)?;
        let contents = self.contents(tx, period).await?;
        let files = contents.iter().map(Content::described).collect();
        let pack = Pack {
            id: tx.id(),
            start_date,
            end_date,
            files: PackFiles(files),
            created_by: tx.actor().to_owned(),
            created_at: tx.now(),
        };
        pack::insert(tx.conn(), &pack, &contents).await?;
        tx.audit("pack.make", format!("pack/{}", pack.id), None, Some(&pack));
        Ok(pack)
    }
}

impl MakePack {
    async fn contents(&self, tx: &mut Tx, period: Period) -> Result<Vec<Content>, Fault<MakePackError>> {
        let conn = tx.conn();
        let limit = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
        let events = heard::list(conn, None, (period.from, period.until), limit).await?;
        let verdicts = pack::verdicts(conn, period, limit).await?;
        let consents = pack::said(conn, period, limit).await?;
        let erasures = pack::asked_erasures(conn, period, limit).await?;
        let (duties, evidence) = pack::done(conn, period, limit).await?;
        let sizes = [
            ("events", events.len()),
            ("verdicts", verdicts.len()),
            ("consents", consents.len()),
            ("erasures", erasures.len()),
            ("duties", duties.len()),
        ];
        if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size > MOST) {
            return Err(MakePackError::TooLarge(what).into());
        }
        let days = (self.new.start_date, self.new.end_date);
        let report = report::counted(conn, days, period).await?;
        let mut proofs = Vec::new();
        for record in &consents {
            let receipt =
                document::receipt(conn, record.clone(), &self.office.controller, self.office.regime);
            if let Some(receipt) = receipt.await? {
                let jws = self.office.seal(RECEIPT, &receipt).map_err(MakePackError::from)?.jws;
                proofs.push(Proof { typ: RECEIPT, id: record.id, jws });
            }
        }
        for erased in &erasures {
            let progress = erasure::find(conn, erased.id).await?;
            let content =
                progress.and_then(|progress| document::certificate(progress, &self.office.controller));
            if let Some(content) = content {
                let jws = self.office.seal(CERTIFICATE, &content).map_err(MakePackError::from)?.jws;
                proofs.push(Proof { typ: CERTIFICATE, id: erased.id, jws });
            }
        }
        let contents = [
            Content::lines("events.ndjson", &events),
            Content::lines("verdicts.ndjson", &verdicts),
            Content::lines("policies.ndjson", &pack::policies(conn, period.until).await?),
            Content::lines("purposes.ndjson", &pack::all_purposes(conn, period.until).await?),
            Content::lines("notices.ndjson", &pack::all_notices(conn, period.until).await?),
            Content::lines("consents.ndjson", &consents),
            Content::lines("erasures.ndjson", &erasures),
            Content::lines("duties.ndjson", &duties),
            Content::lines("duty-evidence.ndjson", &evidence),
            Content::lines("proofs.ndjson", &proofs),
            Content::lines("report.json", &[report]),
        ];
        let contents: Result<Vec<_>, _> = contents.into_iter().collect();
        Ok(contents.map_err(MakePackError::from)?)
    }
}
