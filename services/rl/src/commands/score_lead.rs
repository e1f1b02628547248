use bhiv_events::crm::LeadCreated;
use bhiv_outbox::{Command, Fault, Tx};
use rust_decimal::prelude::ToPrimitive as _;

use super::decide::{DecideError, Question, decide};
use crate::domain::facts::{Fact, Facts};
use crate::domain::served::Served;
use crate::events;

/// The kind of decision that scores a lead.
const KIND: &str = "lead_score";

/// The kinds of decision that are about a lead, and turn out as the lead does.
pub const ABOUT_LEADS: &[&str] = &[KIND, "lead_follow_up"];

/// Scores a lead that came in: the predicted reward of contacting them.
#[derive(Debug)]
pub struct ScoreLead {
    /// The lead.
    pub lead: LeadCreated,
    /// What decides.
    pub served: Served,
}

impl Command for ScoreLead {
    type Output = ();
    type Refusal = DecideError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<DecideError>> {
        let lead = &self.lead;
        let question = Question {
            kind: KIND.to_owned(),
            reference: Some(format!("lead/{}", lead.lead_id)),
            subject: None,
            query: "How likely is this lead to be won?".to_owned(),
            context: facts(lead),
            candidates: Vec::new(),
        };
        let decision = decide(tx, &self.served, question).await?;
        events::lead_scored(tx, lead.lead_id, &decision);
        Ok(())
    }
}

/// What is known of a lead, without what tells who it is.
fn facts(lead: &LeadCreated) -> Facts {
    let source = lead.source.as_deref().map(|source| Fact::Text(source.trim().to_lowercase()));
    let budget = lead.budget.and_then(|budget| budget.to_f64()).and_then(Fact::number);
    Facts::default()
        .with("source", source)
        .with("budget", budget)
        .with("has_phone", Fact::from(lead.has_phone))
        .with("company", Fact::from(lead.company.is_some()))
        .with("need", Fact::from(lead.need.is_some()))
        .with("timeline", Fact::from(lead.timeline.is_some()))
        .with("consent_purposes", Fact::Number(lead.consent_purposes.len().into()))
}
