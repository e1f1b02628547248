//! The contracts as documents for others: a JSON Schema of each event's data, and one AsyncAPI document.

use serde_json::{Map, Value, json};

use crate::{Entry, Producer, catalog, dataschema};

/// The JSON Schema of an event's data, with its sample.
pub fn json_schema(entry: &Entry) -> Value {
    let mut schema = (entry.schema)().to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$id".to_owned(), dataschema(entry.kind.type_).into());
        schema.insert("title".to_owned(), entry.kind.name.into());
        schema.insert("examples".to_owned(), json!([entry.sample_data()]));
    }
    schema
}

/// AsyncAPI 3.0: who sends what where. Schemas are the files `events/<routing key>.json` beside it.
pub fn asyncapi() -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for entry in catalog() {
        let key = entry.kind.routing_key;
        let message = json!({"$ref": format!("#/components/messages/{key}")});
        channels.insert(
            key.to_owned(),
            json!({
                "address": key,
                "messages": {entry.kind.name: message},
                "bindings": {"amqp": {
                    "is": "routingKey",
                    "exchange": {"name": entry.kind.producer.exchange(), "type": "topic", "durable": true},
                    "bindingVersion": "0.3.0",
                }},
            }),
        );
        operations.insert(
            format!("send.{key}"),
            json!({
                "action": "send",
                "channel": {"$ref": format!("#/channels/{key}")},
                "tags": [{"name": entry.kind.producer.prefix()}],
                "bindings": {"amqp": {"deliveryMode": 2, "mandatory": true, "bindingVersion": "0.3.0"}},
            }),
        );
        messages.insert(
            key.to_owned(),
            json!({
                "name": entry.kind.name,
                "title": entry.kind.type_,
                "contentType": "application/json",
                "headers": {"$ref": "#/components/schemas/headers"},
                "payload": {"$ref": format!("./events/{key}.json")},
                "examples": [{"name": "sample", "payload": entry.sample_data()}],
            }),
        );
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "BHIV Unified Core events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in binary mode over AMQP 0-9-1: attributes are headers, the body is \
                            the data. Each producer has a durable topic exchange; a consumer binds the routing \
                            keys of the major versions that it understands.",
        },
        "defaultContentType": "application/json",
        "servers": {"rabbitmq": {"host": "{host}:{port}", "pathname": "/bhiv", "protocol": "amqp",
                                 "variables": {"host": {"default": "localhost"}, "port": {"default": "5672"}}}},
        "tags": Producer::ALL.map(|producer| json!({"name": producer.prefix()})),
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {"headers": headers()}},
    })
}

fn headers() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let uuid = |description: &str| json!({"type": "string", "format": "uuid", "description": description});
    json!({
        "type": "object",
        "properties": {
            "cloudEvents_specversion": {"const": "1.0"},
            "cloudEvents_id": uuid("The event; a repeated message has the same."),
            "cloudEvents_source": text("Who tells, for example /bhiv/crm."),
            "cloudEvents_type": text("For example bhiv.crm.lead.created.v1."),
            "cloudEvents_subject": text("The aggregate that changed, for example lead/0190..."),
            "cloudEvents_time": {"type": "string", "format": "date-time"},
            "cloudEvents_dataschema": text("The name of the data's JSON Schema."),
            "cloudEvents_sequence": {"type": "string", "pattern": "^[0-9]{20}$",
                                     "description": "The aggregate's version; grows per subject."},
            "cloudEvents_correlationid": uuid("One per causal story."),
            "cloudEvents_causationid": uuid("The event that led to this one, if one did."),
            "cloudEvents_actor": text("user/<id>, or service/<name> for a reaction."),
            "traceparent": text("W3C trace context of the hop that recorded it."),
        },
        "required": [
            "cloudEvents_specversion", "cloudEvents_id", "cloudEvents_source", "cloudEvents_type",
            "cloudEvents_subject", "cloudEvents_time", "cloudEvents_sequence", "cloudEvents_correlationid",
            "cloudEvents_actor",
        ],
    })
}
