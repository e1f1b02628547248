use bhiv_events::Producer;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A producer, by its short name: `crm` for the source `/bhiv/crm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogSource(pub Producer);

impl ToSchema for LogSource {}

impl PartialSchema for LogSource {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Who emitted it."))
            .enum_values(Some(Producer::ALL.map(Producer::prefix)))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_schema_is_that_of_its_producer() {
        for producer in Producer::ALL {
            let read: LogSource = serde_json::from_value(producer.prefix().into()).unwrap();
            assert_eq!(read, LogSource(producer));
        }
    }
}
