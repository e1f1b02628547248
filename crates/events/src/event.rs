use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::kind::public_name;
use crate::{Contract, sample};

/// A CloudEvents 1.0 event with this system's extension attributes.
///
/// Serialised it is CloudEvents' JSON format, which webhooks and live streams carry. On RabbitMQ the
/// attributes travel as headers and `data` as the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Always `1.0`.
    pub specversion: String,
    /// Minted once, in the transaction that made the event; consumers recognise repetitions by it.
    pub id: Uuid,
    /// For example `/bhiv/crm`.
    pub source: String,
    /// For example `bhiv.crm.lead.created.v1`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The aggregate that changed, for example `lead/0190...`.
    pub subject: String,
    /// When the transaction that made it began.
    pub time: DateTime<Utc>,
    /// The name of the data's JSON Schema.
    pub dataschema: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// One per causal story.
    pub correlationid: Uuid,
    /// The event that led to this one, if an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Uuid>,
    /// The version of the aggregate after the change: per subject, it only grows.
    pub sequence: i64,
    /// Who did it: `user/<id>`, or `service/<name>` for a reaction.
    pub actor: String,
    /// W3C trace context of the hop that recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The contract's data.
    pub data: Value,
}

impl Event {
    /// The public name, for example `lead_created`; the whole type when it is not one of this system's.
    pub fn name(&self) -> String {
        public_name(&self.type_).unwrap_or_else(|| self.type_.clone())
    }

    /// The routing key that belongs to the type.
    pub fn routing_key(&self) -> &str {
        self.type_.strip_prefix("bhiv.").unwrap_or(&self.type_)
    }

    /// Reads the data as the contract `C`.
    ///
    /// # Errors
    /// When the data does not have the contract's shape.
    pub fn read<C: Contract>(&self) -> Result<C, serde_json::Error> {
        C::deserialize(&self.data)
    }

    /// A whole event around `data`, as a test or `bhiv events send` wants it: fixed time, sequence 1, a
    /// correlation of its own. The caller sets the id.
    pub fn around<C: Contract>(id: Uuid, data: &C) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id,
            source: C::KIND.producer.source().to_owned(),
            type_: C::KIND.type_.to_owned(),
            subject: data.subject(),
            time: sample::time(),
            dataschema: dataschema(C::KIND.type_),
            datacontenttype: "application/json".to_owned(),
            correlationid: id,
            causationid: None,
            sequence: 1,
            actor: "user/sample".to_owned(),
            traceparent: None,
            data: serde_json::to_value(data).unwrap_or_default(),
        }
    }
}

/// The name of the JSON Schema of a type's data.
pub fn dataschema(type_: &str) -> String {
    format!("urn:bhiv:schema:{}", type_.strip_prefix("bhiv.").unwrap_or(type_))
}
