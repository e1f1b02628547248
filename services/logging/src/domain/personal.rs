//! What tells who a person is, and whose it is.

use serde_json::{Map, Value, json};

/// What stands in the place of a sealed value, with [`super::vault::SubjectKey::seal`]'s text; null if the person was
/// erased before.
pub const SEALED: &str = "$sealed";

/// Fields of records that tell who somebody is, or are somebody's own words, by what the record is. They are those of
/// the contracts, and of the records as their services have them in audit rows.
const FIELDS: [(&str, &[&str]); 13] = [
    ("lead", &["name", "email", "phone", "company", "need", "external_id"]),
    ("contact", &["name", "email", "phone", "role"]),
    ("account", &["name", "phone", "email"]),
    ("activity", &["summary", "body", "note"]),
    ("opportunity", &["name", "lost_reason"]),
    ("order", &["reason", "notes"]),
    (
        "delivery",
        &["address", "special_instructions", "location", "recipient", "signature", "reason", "note", "proof"],
    ),
    ("task", &["description", "comments"]),
    ("feedback", &["comment"]),
    ("unified", &["metadata"]),
    ("user", &["email", "name", "password"]),
    ("request", &["address"]),
    ("erasure", &["also"]),
];

/// Fields that name the person whom a record is about, where its own id does not, and what such a person is.
const PERSONS: [(&str, &str); 4] =
    [("person", ""), ("lead_id", "lead"), ("contact_id", "contact"), ("customer_id", "customer")];

/// Which fields of a record are personal, by what it is: `lead` for `lead/0190...`.
fn fields(entity: &str) -> &'static [&'static str] {
    let what = entity.split('/').next().unwrap_or_default();
    FIELDS.iter().find(|(of, _)| *of == what).map_or(&[], |(_, fields)| fields)
}

/// Whose an entry's personal fields are: what it is about, if that is a person, else whom it names, else what it is
/// about.
pub fn subject(entity: &str, data: &Value) -> String {
    let what = entity.split('/').next().unwrap_or_default();
    if ["lead", "contact", "user"].contains(&what) {
        return entity.to_owned();
    }
    let places = [data.get("after"), data.get("before"), Some(data)];
    for record in places.into_iter().flatten() {
        for (field, person) in PERSONS {
            let Some(id) = record.get(field).and_then(Value::as_str).filter(|id| !id.is_empty()) else {
                continue;
            };
            return if person.is_empty() { id.to_owned() } else { format!("{person}/{id}") };
        }
    }
    entity.to_owned()
}

/// Whether the data has anything personal.
pub fn is_in(entity: &str, data: &Value) -> bool {
    let fields = fields(entity);
    !fields.is_empty() && has(fields, data)
}

/// Null, an empty text or list: there is nothing to seal.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn has(fields: &[&str], data: &Value) -> bool {
    match data {
        Value::Object(object) => object.iter().any(|(name, value)| {
            (fields.contains(&name.as_str()) && !is_nothing(value)) || has(fields, value)
        }),
        Value::Array(items) => items.iter().any(|item| has(fields, item)),
        _ => false,
    }
}

/// Whether something personal in the data is not sealed.
pub fn is_bare(entity: &str, data: &Value) -> bool {
    let mut data = data.clone();
    // What is sealed is taken away, and something is left.
    open(&mut data, &|_| None);
    is_in(entity, &data)
}

/// Seals each personal value with `seal`; where that answers none, nothing is kept.
pub fn seal(entity: &str, data: &mut Value, seal: &mut impl FnMut(&Value) -> Option<String>) {
    sealed(fields(entity), data, seal);
}

fn sealed(fields: &[&str], data: &mut Value, seal: &mut impl FnMut(&Value) -> Option<String>) {
    match data {
        Value::Object(object) => {
            for (name, value) in object {
                if fields.contains(&name.as_str()) {
                    if !is_nothing(value) {
                        *value = json!({SEALED: seal(value)});
                    }
                } else {
                    sealed(fields, value, seal);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| sealed(fields, item, seal)),
        _ => {}
    }
}

/// What stands in the place of something personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal<'a> {
    /// It is sealed in this.
    Of(&'a str),
    /// Nothing of it was kept.
    Nothing,
}

/// What an object stands for, if it stands in the place of something personal.
pub fn seal_of(object: &Map<String, Value>) -> Option<Seal<'_>> {
    let sealed = object.get(SEALED).filter(|_| object.len() == 1)?;
    Some(sealed.as_str().map_or(Seal::Nothing, Seal::Of))
}

/// Calls `found` with everything that is sealed.
pub fn each_seal<'a>(data: &'a Value, found: &mut impl FnMut(&'a str)) {
    match data {
        Value::Object(object) => match seal_of(object) {
            Some(Seal::Of(sealed)) => found(sealed),
            Some(Seal::Nothing) => {}
            None => object.values().for_each(|value| each_seal(value, found)),
        },
        Value::Array(items) => items.iter().for_each(|item| each_seal(item, found)),
        _ => {}
    }
}

/// Puts back what `open` can open; what it cannot is null.
pub fn open(data: &mut Value, open_one: &impl Fn(&str) -> Option<Value>) {
    match data {
        Value::Object(object) => match seal_of(object) {
            Some(Seal::Of(sealed)) => *data = open_one(sealed).unwrap_or_default(),
            Some(Seal::Nothing) => *data = Value::Null,
            None => object.values_mut().for_each(|value| open(value, open_one)),
        },
        Value::Array(items) => items.iter_mut().for_each(|item| open(item, open_one)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_who_somebody_is_is_sealed_and_nothing_else() {
        let record = json!({"name": "Asha", "status": "new", "email": null, "consent": {"phone": "1"}});
        let mut data = json!({"action": "lead.create", "before": null, "after": record});
        let before = data.clone();
        assert!(is_in("lead/1", &data) && !is_in("order/1", &data));
        seal("lead/1", &mut data, &mut |value| Some(value.to_string()));
        let name = json!({SEALED: "\"Asha\""});
        assert_eq!((&data["after"]["name"], &data["after"]["status"]), (&name, &json!("new")));
        assert_eq!(data["after"]["consent"]["phone"], json!({SEALED: "\"1\""}));
        let mut seals = Vec::new();
        each_seal(&data, &mut |sealed| seals.push(sealed.to_owned()));
        assert_eq!(seals, ["\"Asha\"", "\"1\""]);
        let mut erased = data.clone();
        open(&mut data, &|sealed| serde_json::from_str(sealed).ok());
        assert_eq!(data, before);
        open(&mut erased, &|_| None);
        assert_eq!(erased["after"]["name"], json!(null));
    }

    #[test]
    fn it_is_known_whose_it_is() {
        for (entity, data, of) in [
            ("lead/1", json!({"contact_id": "2"}), "lead/1"),
            ("opportunity/1", json!({"lead_id": "2"}), "lead/2"),
            ("order/1", json!({"after": {"customer_id": "verma"}}), "customer/verma"),
            ("erasure/1", json!({"person": "lead/3", "also": []}), "lead/3"),
            ("delivery/1", json!({"after": {"address": "12 Mill Road"}}), "delivery/1"),
        ] {
            assert_eq!(subject(entity, &data), of);
        }
    }
}
