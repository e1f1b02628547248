//! Input is checked against the very schema that the OpenAPI document shows.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Segment;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::{FieldError, Problem};

/// The schema of `T` with the names and schemas of everything that it refers to.
pub(crate) fn components<T: ToSchema>() -> (String, Vec<(String, RefOr<Schema>)>) {
    let mut parts = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut parts);
    (T::name().into_owned(), parts)
}

/// Checks `value` against the schema of `T` and reads it.
///
/// # Errors
/// A 422 with every fault.
pub(crate) fn read<T: ToSchema + DeserializeOwned + 'static>(
    value: &Value,
    pointer: impl Fn(&str) -> String,
) -> Result<T, Problem> {
    let mut errors: Vec<FieldError> = validator::<T>()?
        .iter_errors(value)
        .flat_map(|error| faults(&error))
        .map(|(place, message)| FieldError { pointer: pointer(&place), message })
        .collect();
    nul_faults(value, &mut String::new(), &mut |place| {
        errors.push(FieldError { pointer: pointer(place), message: "must not contain U+0000".to_owned() });
    });
    if !errors.is_empty() {
        errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        errors.dedup();
        return Err(Problem::invalid(errors));
    }
    // What a schema cannot say, such as whether a currency exists, is found here, one at a time.
    serde_path_to_error::deserialize(value).map_err(|error| {
        let place = error.path().iter().fold(String::new(), |place, segment| match segment {
            Segment::Seq { index } => format!("{place}/{index}"),
            segment => format!("{place}/{segment}"),
        });
        Problem::invalid(vec![FieldError { pointer: pointer(&place), message: error.inner().to_string() }])
    })
}

/// PostgreSQL keeps no NUL in a text, and no schema says so for every text.
fn nul_faults(value: &Value, place: &mut String, fault: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if text.contains('\0') => fault(place),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                nul_faults_below(item, &index.to_string(), place, fault);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if name.contains('\0') {
                    fault(place);
                }
                nul_faults_below(field, name, place, fault);
            }
        }
        _ => {}
    }
}

fn nul_faults_below(value: &Value, name: &str, place: &mut String, fault: &mut impl FnMut(&str)) {
    let length = place.len();
    place.push('/');
    place.push_str(name);
    nul_faults(value, place, fault);
    place.truncate(length);
}

fn validator<T: ToSchema + 'static>() -> Result<Arc<Validator>, Problem> {
    static COMPILED: OnceLock<RwLock<HashMap<TypeId, Arc<Validator>>>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(RwLock::default);
    let id = TypeId::of::<T>();
    if let Some(validator) = compiled.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return Ok(Arc::clone(validator));
    }
    let validator = Arc::new(compile::<T>().map_err(|error| Problem::internal(&error))?);
    compiled.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&validator));
    Ok(validator)
}

fn compile<T: ToSchema>() -> Result<Validator, ValidationError<'static>> {
    let (name, parts) = components::<T>();
    let schemas: serde_json::Map<String, Value> = parts
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or(Value::Bool(false))))
        .collect();
    let schema = json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": {"schemas": schemas},
    });
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema)
}

/// Places (JSON Pointers) and messages of one error.
fn faults(error: &ValidationError<'_>) -> Vec<(String, String)> {
    let place = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![(format!("{place}/{name}"), "is required".to_owned())]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| (format!("{place}/{name}"), "is not a known field".to_owned()))
            .collect(),
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(wanted) => wanted.to_string(),
                TypeKind::Multiple(wanted) => {
                    wanted.iter().map(|wanted| wanted.to_string()).collect::<Vec<_>>().join(" or ")
                }
            };
            vec![(place, format!("must be {wanted}"))]
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            // An optional object is "null or the object": what is wrong with the object is what matters.
            let inner: Vec<_> = context
                .iter()
                .filter(|branch| !branch.iter().any(is_not_null))
                .flatten()
                .flat_map(faults)
                .collect();
            if inner.is_empty() { vec![(place, error.to_string())] } else { inner }
        }
        ValidationErrorKind::Format { format } => vec![(place, format!("must be a valid {format}"))],
        ValidationErrorKind::Pattern { pattern } => vec![(place, format!("must match {pattern}"))],
        ValidationErrorKind::Enum { options } => vec![(place, format!("must be one of {options}"))],
        ValidationErrorKind::MinLength { limit: 1 } => vec![(place, "must not be empty".to_owned())],
        _ => vec![(place, error.masked().to_string())],
    }
}

fn is_not_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(wanted) }
        if wanted.to_string() == "null")
}
