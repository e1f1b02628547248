use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use crate::describe::{Describe, Operation};
use crate::problem::codes;
use crate::{Problem, schema};

/// A JSON body that was checked against the documented schema of `T`: every fault is answered at once.
#[derive(Debug)]
pub struct Valid<T>(pub T);

impl<T: ToSchema + DeserializeOwned + 'static> FromRequest for Valid<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.split(';').next().is_some_and(is_json));
        let body = web::Bytes::from_request(request, payload);
        async move {
            if !is_json {
                return Err(codes::UNSUPPORTED_MEDIA_TYPE.into());
            }
            let body = body.await.map_err(|error| body_problem(&error))?;
            let value: Value = serde_json::from_slice(&body)
                .map_err(|error| Problem::new(codes::MALFORMED_JSON, error.to_string()))?;
            schema::read(&value, str::to_owned).map(Self)
        }
        .boxed_local()
    }
}

fn is_json(media_type: &str) -> bool {
    let media_type = media_type.trim();
    media_type.eq_ignore_ascii_case("application/json") || media_type.to_ascii_lowercase().ends_with("+json")
}

pub(crate) fn body_problem(error: &actix_web::Error) -> Problem {
    match error.as_response_error().status_code().as_u16() {
        413 => codes::BODY_TOO_LARGE.into(),
        _ => Problem::new(codes::BAD_REQUEST, error.to_string()),
    }
}

impl<T: ToSchema> Describe for Valid<T> {
    fn describe(operation: &mut Operation) {
        operation.body::<T>();
    }
}

/// Reads a JSON value that was checked against the documented schema of `T`.
///
/// # Errors
/// 422 with every fault.
pub fn checked<T: ToSchema + DeserializeOwned + 'static>(value: &Value) -> Result<T, Problem> {
    schema::read(value, str::to_owned)
}

/// A body of many rows, which is read as it comes: CSV, or a JSON object a line.
pub struct Table {
    /// Whether it is CSV, with the names of the fields in its first row.
    pub is_csv: bool,
    /// The rows, in parts that know nothing of rows.
    pub body: web::Payload,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table in {}", if self.is_csv { "CSV" } else { "NDJSON" })
    }
}

impl FromRequest for Table {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next()).map(str::trim);
        let is_csv = match media_type {
            Some("text/csv") => true,
            Some("application/x-ndjson") => false,
            _ => {
                let says = "the body must be text/csv or application/x-ndjson";
                return ready(Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, says)));
            }
        };
        let body = web::Payload::from_request(request, payload).into_inner();
        ready(body.map(|body| Self { is_csv, body }).map_err(|error| body_problem(&error)))
    }
}

impl Describe for Table {
    fn describe(operation: &mut Operation) {
        operation.table();
    }
}

/// A body that is a picture: PNG, JPEG or WebP, no larger than [`Picture::MOST`], which is what it says that it is.
#[derive(Clone)]
pub struct Picture {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.media_type, self.bytes.len())
    }
}

impl Picture {
    /// How many bytes a picture may have.
    pub const MOST: usize = 2 * 1024 * 1024;

    /// What the first bytes say that it is.
    fn sniff(bytes: &[u8]) -> Option<&'static str> {
        match bytes {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
            [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
            _ => None,
        }
    }
}

impl FromRequest for Picture {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let declared = declared.unwrap_or_default().trim().to_ascii_lowercase();
        let body = web::Payload::from_request(request, payload).into_inner();
        async move {
            if !["image/png", "image/jpeg", "image/webp"].contains(&declared.as_str()) {
                let says = "the body must be image/png, image/jpeg or image/webp";
                return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, says));
            }
            let body = body.map_err(|error| body_problem(&error))?;
            let bytes = body.to_bytes_limited(Self::MOST).await;
            let bytes = bytes.map_err(|_| Problem::from(codes::BODY_TOO_LARGE))?;
            let bytes = bytes.map_err(|error| body_problem(&error))?;
            match Self::sniff(&bytes) {
                Some(media_type) if media_type == declared => Ok(Self { media_type, bytes: bytes.to_vec() }),
                found => {
                    let says = format!("the body is {}, not {declared}", found.unwrap_or("no picture"));
                    Err(Problem::invalid(Vec::new()).at("", says))
                }
            }
        }
        .boxed_local()
    }
}

impl Describe for Picture {
    fn describe(operation: &mut Operation) {
        operation.picture();
    }
}

/// Query parameters that were checked against the documented schema of `T`.
#[derive(Debug)]
pub struct ValidQuery<T>(pub T);

impl<T: ToSchema + DeserializeOwned + 'static> FromRequest for ValidQuery<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read_query(request.query_string()).map(Self))
    }
}

fn read_query<T: ToSchema + DeserializeOwned + 'static>(query: &str) -> Result<T, Problem> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|error| Problem::new(codes::BAD_REQUEST, error.to_string()))?;
    let (name, parts) = schema::components::<T>();
    let fields = object(&parts, &name).map(|object| &object.properties);
    let mut values = Map::new();
    for (name, text) in pairs.into_inner() {
        let schema = fields.and_then(|fields| fields.get(&name));
        let value = match schema {
            Some(RefOr::T(Schema::Array(_))) => text.split(',').collect(),
            _ => typed(schema.and_then(|schema| resolved(&parts, schema)), text),
        };
        if values.insert(name.clone(), value).is_some() {
            return Err(Problem::invalid(Vec::new()).at(format!("?{name}"), "stands twice"));
        }
    }
    schema::read(&Value::Object(values), |place| format!("?{}", place.trim_start_matches('/')))
}

fn object<'a>(parts: &'a [(String, RefOr<Schema>)], name: &str) -> Option<&'a Object> {
    match parts.iter().find(|(part, _)| part == name)? {
        (_, RefOr::T(Schema::Object(object))) => Some(object),
        _ => None,
    }
}

fn resolved<'a>(parts: &'a [(String, RefOr<Schema>)], schema: &'a RefOr<Schema>) -> Option<&'a Object> {
    match schema {
        RefOr::T(Schema::Object(object)) => Some(object),
        RefOr::T(_) => None,
        RefOr::Ref(reference) => object(parts, reference.ref_location.rsplit('/').next()?),
    }
}

/// A query parameter is text, or several words with commas between them where the schema wants a list; where the schema wants a number or a truth value, it is read as one. Text that
/// is none stays text, and the schema refuses it.
fn typed(schema: Option<&Object>, text: String) -> Value {
    let Some(schema) = schema else { return Value::String(text) };
    let wants = |wanted: &Type| match &schema.schema_type {
        SchemaType::Type(one) => one == wanted,
        SchemaType::Array(several) => several.contains(wanted),
        SchemaType::AnyValue => false,
    };
    if wants(&Type::String) {
        return Value::String(text);
    }
    let is_number = wants(&Type::Integer) || wants(&Type::Number);
    match serde_json::from_str(&text) {
        Ok(value @ Value::Number(_)) if is_number => value,
        Ok(value @ Value::Bool(_)) if wants(&Type::Boolean) => value,
        _ => Value::String(text),
    }
}

impl<T: ToSchema> Describe for ValidQuery<T> {
    fn describe(operation: &mut Operation) {
        operation.query::<T>();
    }
}

/// The id in the path. What is no UUID names nothing, so it is a 404.
#[derive(Clone, Copy, Debug)]
pub struct Id<T>(pub T);

impl<T: From<Uuid>> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = last_parameter(request);
        ready(match Uuid::try_parse(&text) {
            Ok(id) => Ok(Self(T::from(id))),
            Err(_) => Err(Problem::not_found(format!("'{text}': an id is a UUID"))),
        })
    }
}

impl<T> Describe for Id<T> {
    fn describe(operation: &mut Operation) {
        operation.path(bhiv_types::private::uuid_schema());
    }
}

/// A word in the path, percent-decoded: `lead%2F0190...` is `lead/0190...`. What cannot be read as `T` names
/// nothing, so it is a 404.
#[derive(Clone, Debug)]
pub struct Segment<T>(pub T);

impl<T: FromStr> FromRequest for Segment<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = last_parameter(request);
        // No stored text has a U+0000 in it, so such a word names nothing either.
        let word = if text.contains('\0') { None } else { text.parse().ok() };
        ready(word.map(Self).ok_or_else(|| Problem::not_found(format!("'{text}'"))))
    }
}

impl<T> Describe for Segment<T> {
    fn describe(operation: &mut Operation) {
        operation.path(ObjectBuilder::new().schema_type(Type::String).into());
    }
}

/// Says that the operation may answer with a problem of this status, where nothing else in the signature does.
#[derive(Clone, Copy, Debug)]
pub struct MayAnswer<const STATUS: u16>;

impl<const STATUS: u16> FromRequest for MayAnswer<STATUS> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

impl<const STATUS: u16> Describe for MayAnswer<STATUS> {
    fn describe(operation: &mut Operation) {
        let says = StatusCode::from_u16(STATUS).ok().and_then(|status| status.canonical_reason());
        operation.problem(&STATUS.to_string(), says.unwrap_or("A problem"));
    }
}

/// Paths have one parameter. Actix leaves encoded slashes, pluses and percent signs as they are, so that they
/// separate and encode nothing. The percent sign comes last, or what follows it would be decoded twice.
fn last_parameter(request: &HttpRequest) -> String {
    let parameters = request.match_info();
    let text = parameters.iter().last().map(|(_, value)| value).unwrap_or_default();
    let encoded = [("%2F", "/"), ("%2f", "/"), ("%2B", "+"), ("%2b", "+"), ("%25", "%")];
    encoded.iter().fold(text.to_owned(), |text, (code, letter)| text.replace(code, letter))
}
