//! Parameters in the OpenAPI document, by the schemas of the fields that they are read into.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{RefOr, Required};

/// A query parameter that is read into the field `name` of such a schema.
pub(crate) fn of_query(name: &str, schema: &RefOr<Schema>, is_required: bool) -> Parameter {
    // Several values stand in one parameter, with commas between them.
    let explode = matches!(schema, RefOr::T(Schema::Array(_))).then_some(false);
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .explode(explode)
        .required(if is_required { Required::True } else { Required::False })
        .description(description(schema))
        .schema(Some(without_null(schema)))
        .build()
}

fn description(schema: &RefOr<Schema>) -> Option<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.description.clone(),
        RefOr::T(Schema::Array(array)) => array.description.clone(),
        RefOr::T(Schema::OneOf(one_of)) => one_of.items.iter().find_map(description),
        RefOr::Ref(reference) => Some(reference.description.clone()).filter(|text| !text.is_empty()),
        RefOr::T(_) => None,
    }
}

/// A query parameter may be absent; it is never null.
fn without_null(schema: &RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::OneOf(one_of)) => {
            one_of.items.iter().find(|item| !is_null(item)).unwrap_or(schema).clone()
        }
        RefOr::T(Schema::Object(object)) => {
            let mut object = object.clone();
            object.schema_type = other_than_null(object.schema_type);
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::Array(array)) => {
            let mut array = array.clone();
            array.schema_type = other_than_null(array.schema_type);
            RefOr::T(Schema::Array(array))
        }
        _ => schema.clone(),
    }
}

fn other_than_null(schema_type: SchemaType) -> SchemaType {
    let SchemaType::Array(types) = schema_type else { return schema_type };
    let left: Vec<_> = types.into_iter().filter(|type_| *type_ != Type::Null).collect();
    match <[Type; 1]>::try_from(left) {
        Ok([only]) => SchemaType::Type(only),
        Err(several) => SchemaType::Array(several),
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object))
        if object.schema_type == SchemaType::Type(Type::Null))
}
