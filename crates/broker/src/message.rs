use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use uuid::Uuid;

/// Headers as text; what a broker or another client adds in other types is left out.
pub type Headers = BTreeMap<String, String>;

/// A message on its way to an exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The exchange it goes to.
    pub exchange: String,
    /// The key it is routed by.
    pub routing_key: String,
    /// Consumers recognise repetitions by it.
    pub id: Uuid,
    /// CloudEvents attributes and `traceparent`; see [`crate::wire`].
    pub headers: Headers,
    /// JSON.
    pub body: Vec<u8>,
}

impl Message {
    /// Persistent JSON; `user` is who the broker knows us as, and it refuses any other.
    pub(crate) fn properties(&self, user: &str) -> BasicProperties {
        let mut headers = FieldTable::default();
        for (name, value) in &self.headers {
            headers.insert(name.as_str().into(), AMQPValue::LongString(value.as_str().into()));
        }
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_message_id(self.id.to_string().into())
            .with_user_id(user.into())
            .with_headers(headers);
        match self.headers.get(crate::wire::TYPE) {
            Some(type_) => properties.with_type(type_.as_str().into()),
            None => properties,
        }
    }
}

/// The textual headers of a delivery.
pub(crate) fn headers_of(properties: &BasicProperties) -> Headers {
    let Some(table) = properties.headers() else { return Headers::new() };
    table
        .inner()
        .iter()
        .filter_map(|(name, value)| {
            let text = match value {
                AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok()?,
                AMQPValue::ShortString(text) => text.as_str().to_owned(),
                _ => return None,
            };
            Some((name.as_str().to_owned(), text))
        })
        .collect()
}
