use serde::{Deserialize, Serialize};

use crate::tree::Frontier;
use crate::{Checkpoint, Finding, Hash, LogKeys, Record, RecordState};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Leaves that were gone over.
    pub leaves: u64,
    /// Rows that are what they were.
    pub intact: u64,
    /// Rows whose time was over; their leaves are there.
    pub retired: u64,
    /// Rows that are not numbered yet.
    pub waiting: u64,
    /// Checkpoints that fit.
    pub checkpoints: u64,
    /// The largest size that a checkpoint that fits has.
    pub proved: u64,
    /// The root of all leaves that were gone over.
    pub root: Hash,
    /// Everything that does not fit, the first one first; not more than some hundred.
    pub findings: Vec<Finding>,
}

/// So many findings say enough.
const MOST: usize = 200;

/// Goes over records in their order, and says at the end what does not fit.
#[derive(Debug)]
pub struct Verifier {
    frontier: Frontier,
    /// The number that the next leaf should have.
    next: u64,
    /// Those that are still ahead, the smallest last.
    ahead: Vec<Checkpoint>,
    intact: u64,
    retired: u64,
    waiting: u64,
    checkpoints: u64,
    proved: u64,
    is_rewritten: bool,
    findings: Vec<Finding>,
}

impl Verifier {
    /// Compares with these notes, which one of `keys` has to have signed.
    pub fn new<'a>(keys: &LogKeys, notes: impl IntoIterator<Item = &'a str>) -> Self {
        Self::resume(Frontier::default(), keys, notes)
    }

    /// The same from a size on, up to which somebody else has gone; `notes` are of that size or larger.
    pub fn resume<'a>(frontier: Frontier, keys: &LogKeys, notes: impl IntoIterator<Item = &'a str>) -> Self {
        let mut findings = Vec::new();
        let mut ahead = Vec::new();
        for note in notes {
            match keys.open(note) {
                Ok(checkpoint) => ahead.push(checkpoint),
                Err(bad) => {
                    let size = Checkpoint::read(note).map_or(0, |checkpoint| checkpoint.size);
                    findings.push(Finding::BadCheckpoint { size, why: bad.to_string() });
                }
            }
        }
        ahead.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size));
        let proved = frontier.size();
        let mut verifier = Self {
            frontier,
            next: proved,
            ahead,
            intact: 0,
            retired: 0,
            waiting: 0,
            checkpoints: 0,
            proved,
            is_rewritten: false,
            findings,
        };
        verifier.compare();
        verifier
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record) {
        let Some(leaf_index) = record.leaf_index else {
            match record.state {
                RecordState::Waiting => self.waiting += 1,
                _ => self.find(Finding::Inserted { entry_id: record.entry_id }),
            }
            return;
        };
        if leaf_index != self.next {
            // From here on no root can fit, and that is no news.
            let count = leaf_index.saturating_sub(self.next);
            self.find(Finding::LeavesMissing { leaf_index: self.next, count });
            self.is_rewritten = true;
        }
        self.next = leaf_index + 1;
        let entry_id = record.entry_id;
        let found = record.row.as_ref().and_then(|row| row.leaf().ok());
        match (record.leaf_hash, found) {
            (Some(stored), Some(found)) if stored == found && record.row_is_its_own() => self.intact += 1,
            (_, Some(_)) => self.find(Finding::Changed { leaf_index, entry_id }),
            (_, None) if record.state == RecordState::Retired => self.retired += 1,
            (_, None) => self.find(Finding::Removed { leaf_index, entry_id }),
        }
        self.frontier.push(record.leaf_hash.or(found).unwrap_or_else(Hash::empty));
        self.compare();
    }

    /// How many leaves there were.
    pub fn size(&self) -> u64 {
        self.next
    }

    /// The root of what was gone over.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    fn compare(&mut self) {
        while let Some(checkpoint) = self.ahead.pop_if(|next| next.size <= self.next) {
            if checkpoint.size == self.next && !self.is_rewritten && checkpoint.root == self.frontier.root() {
                self.checkpoints += 1;
                self.proved = checkpoint.size;
            } else if !self.is_rewritten {
                self.is_rewritten = true;
                self.find(Finding::Rewritten { from: self.proved, size: checkpoint.size });
            }
        }
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }

    /// What was found, when there are no more records; `is_end` if there are no more at all, so that what checkpoints
    /// say beyond them was cut off.
    pub fn finish(mut self, is_end: bool) -> Report {
        if is_end && let Some(largest) = self.ahead.first().map(|checkpoint| checkpoint.size) {
            self.find(Finding::Truncated { leaf_index: self.next, size: largest });
        }
        self.findings.sort_by_key(Finding::place);
        Report {
            leaves: self.next,
            intact: self.intact,
            retired: self.retired,
            waiting: self.waiting,
            checkpoints: self.checkpoints,
            proved: self.proved,
            root: self.frontier.root(),
            findings: self.findings,
        }
    }
}

#[cfg(test)]
mod tests {
    use bhiv_signing::{JwkSet, Signer};
    use chrono::DateTime;
    use serde_json::json;

    use uuid::Uuid;

    use super::*;
    use crate::{Bad, Row};

    struct Log {
        signer: Signer,
        records: Vec<Record>,
    }

    impl Log {
        fn of(rows: u64) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (private, public) = (dir.path().join("key.pem"), dir.path().join("jwks.json"));
            bhiv_auth::Keys::generate(&private, &public).unwrap();
            let records = (0..rows).map(record).collect();
            Self { signer: Signer::read(&private).unwrap(), records }
        }

        fn note(&self, size: usize) -> String {
            let mut frontier = Frontier::default();
            for record in &self.records[..size] {
                frontier.push(record.leaf_hash.unwrap());
            }
            let root = frontier.root();
            Checkpoint { origin: "t".to_owned(), size: size.try_into().unwrap(), root }.sign(&self.signer)
        }

        fn verified(&self, notes: &[&str]) -> Report {
            let keys = LogKeys::new(JwkSet { keys: vec![self.signer.public().clone()] });
            let mut verifier = Verifier::new(&keys, notes.iter().copied());
            self.records.iter().for_each(|record| verifier.take(record));
            verifier.finish(true)
        }
    }

    fn record(number: u64) -> Record {
        let id = Uuid::from_u128(u128::from(number) + 1);
        let text = || "x".to_owned();
        let row = Row {
            id,
            kind: text(),
            event_type: text(),
            r#type: text(),
            source: text(),
            subject: text(),
            entity: text(),
            actor: text(),
            correlation_id: id,
            causation_id: None,
            sequence: 1,
            trace_id: None,
            task_id: None,
            user_id: None,
            rl_score: None,
            consent_flag: None,
            action: None,
            timestamp: DateTime::UNIX_EPOCH,
            received_at: DateTime::UNIX_EPOCH,
            data: json!({"number": number}),
        };
        Record {
            leaf_index: Some(number),
            entry_id: id,
            leaf_hash: Some(row.leaf().unwrap()),
            state: RecordState::Kept,
            row: Some(row),
        }
    }

    fn change(record: &mut Record) {
        record.row.as_mut().unwrap().data = json!({"number": "another"});
    }

    #[test]
    fn what_was_not_touched_is_intact() {
        let log = Log::of(300);
        let notes = [log.note(10), log.note(300), log.note(1)];
        let report = log.verified(&[&notes[0], &notes[1], &notes[2]]);
        assert_eq!(
            (report.findings, report.intact, report.checkpoints, report.proved),
            (vec![], 300, 3, 300)
        );
    }

    #[test]
    fn a_changed_a_removed_and_an_inserted_row_are_named() {
        let mut log = Log::of(40);
        let note = log.note(40);
        let ids: Vec<_> = log.records.iter().map(|record| record.entry_id).collect();
        change(&mut log.records[30]);
        log.records[7].row = None;
        let inserted = Uuid::from_u128(999);
        log.records.push(Record { leaf_index: None, leaf_hash: None, entry_id: inserted, ..record(999) });
        log.records.push(Record { leaf_index: None, state: RecordState::Waiting, ..record(1_000) });
        let report = log.verified(&[&note]);
        assert_eq!(
            report.findings,
            [
                Finding::Removed { leaf_index: 7, entry_id: ids[7] },
                Finding::Changed { leaf_index: 30, entry_id: ids[30] },
                Finding::Inserted { entry_id: inserted },
            ]
        );
        assert_eq!((report.intact, report.waiting, report.checkpoints), (38, 1, 1));
    }

    #[test]
    fn who_changes_the_leaf_too_is_found_by_the_next_checkpoint() {
        let mut log = Log::of(40);
        let notes = [log.note(10), log.note(25), log.note(40)];
        change(&mut log.records[20]);
        let leaf = log.records[20].row.as_ref().unwrap().leaf().unwrap();
        log.records[20].leaf_hash = Some(leaf);
        let report = log.verified(&[&notes[0], &notes[1], &notes[2]]);
        assert_eq!(report.findings, [Finding::Rewritten { from: 10, size: 25 }]);
        assert_eq!(report.proved, 10);
    }

    #[test]
    fn who_cuts_off_the_end_is_found_by_a_checkpoint_kept_outside() {
        let mut log = Log::of(40);
        let (inside, outside) = (log.note(30), log.note(40));
        log.records.truncate(33);
        assert_eq!(log.verified(&[&inside]).findings, [], "nothing inside says that there were more");
        let report = log.verified(&[&inside, &outside]);
        assert_eq!(report.findings, [Finding::Truncated { leaf_index: 33, size: 40 }]);
    }

    #[test]
    fn missing_leaves_and_forged_checkpoints_are_named() {
        let mut log = Log::of(40);
        let note = log.note(40);
        log.records.drain(10..12);
        let forged = Log::of(40).note(20);
        let report = log.verified(&[&note, &forged]);
        let why = Bad::UnknownKey.to_string();
        assert_eq!(
            report.findings,
            [Finding::LeavesMissing { leaf_index: 10, count: 2 }, Finding::BadCheckpoint { size: 20, why },]
        );
    }

    #[test]
    fn what_retention_dropped_keeps_its_leaf() {
        let mut log = Log::of(40);
        let note = log.note(40);
        for record in &mut log.records[..20] {
            (record.row, record.state) = (None, RecordState::Retired);
        }
        let report = log.verified(&[&note]);
        assert_eq!((report.findings, report.retired, report.intact, report.checkpoints), (vec![], 20, 20, 1));
    }
}
