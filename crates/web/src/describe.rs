//! What the parts of a handler's signature say about themselves in the OpenAPI document.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use bhiv_auth::Permission;
use serde_json::Value;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, RefOr, Required, Response, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema};

use crate::caller::CORRELATION_ID;
use crate::schema::components;
use crate::{FieldError, Problem, parameter};

/// Something that stands in a handler's signature.
pub trait Describe {
    /// Says what it asks for or answers.
    fn describe(operation: &mut Operation);
}

/// What is known of one operation.
#[derive(Debug, Default)]
pub struct Operation {
    parameters: Vec<Parameter>,
    body: Option<(String, Content)>,
    scopes: Option<Vec<String>>,
    responses: BTreeMap<String, Response>,
    schemas: Vec<(String, RefOr<Schema>)>,
    acts: bool,
}

impl Operation {
    /// A command may be run for the caller.
    pub fn acts(&mut self) {
        self.acts = true;
    }

    /// It can be repeated with a key, if it acts at all.
    pub(crate) fn repeatable(&mut self) {
        if !self.acts {
            return;
        }
        self.parameters.push(
            ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(
                    "The client's own name for this request, for example a UUID. For a day, a repetition with the \
                     same key and content has no second effect and gets the same answer, with \
                     `Idempotency-Replayed: true`",
                ))
                .schema(Some(
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .min_length(Some(1))
                        .max_length(Some(255))
                        .build(),
                ))
                .build(),
        );
        self.parameters.push(
            ParameterBuilder::new()
                .name(CORRELATION_ID)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(
                    "The causal story that the request belongs to: events and audit rows have it. That of the \
                     thing that is changed, or a new one, unless it says otherwise",
                ))
                .schema(Some(bhiv_types::private::uuid_schema()))
                .build(),
        );
        self.problem("400", "A header or the body cannot be read");
        self.problem("409", "The state of the thing, or a request with the same key, does not allow it now");
        self.problem("422", "The content breaks the rules, or the key was used for another request");
    }

    /// A reference to the schema of `T`, which goes into the document.
    pub fn schema_of<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let (name, parts) = components::<T>();
        self.schemas.extend(parts);
        utoipa::openapi::Ref::from_schema_name(name).into()
    }

    /// A JSON body of shape `T`.
    pub fn body<T: ToSchema>(&mut self) {
        let schema = self.schema_of::<T>();
        self.body = Some(("application/json".to_owned(), Content::new(Some(schema))));
        for (status, says) in [
            ("400", "The body is not JSON"),
            ("413", "The body is too large"),
            ("415", "The body must be application/json"),
            ("422", "The input breaks the rules of its schema; every fault is listed"),
        ] {
            self.problem(status, says);
        }
    }

    /// A body of many rows.
    pub(crate) fn table(&mut self) {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        self.body = Some(("text/csv".to_owned(), Content::new(Some(schema))));
        for (status, says) in [
            ("400", "The body cannot be read to its end"),
            ("413", "A row is too large"),
            ("415", "The body must be text/csv or application/x-ndjson"),
        ] {
            self.problem(status, says);
        }
    }

    /// A body that is a picture.
    pub(crate) fn picture(&mut self) {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        let schema = ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build();
        self.body = Some(("image/png".to_owned(), Content::new(Some(schema))));
        for (status, says) in [
            ("400", "The body cannot be read to its end"),
            ("413", "The picture is too large"),
            ("415", "The body must be image/png, image/jpeg or image/webp"),
            ("422", "The body is not what it says that it is"),
        ] {
            self.problem(status, says);
        }
    }

    /// Query parameters: the fields of `T`.
    pub fn query<T: ToSchema>(&mut self) {
        let (name, parts) = components::<T>();
        let fields = parts.iter().find(|(part, _)| *part == name);
        if let Some((_, RefOr::T(Schema::Object(object)))) = fields {
            for (field, schema) in &object.properties {
                let is_required = object.required.contains(field);
                self.parameters.push(parameter::of_query(field, schema, is_required));
            }
        }
        self.schemas.extend(parts.into_iter().filter(|(part, _)| *part != name));
        self.problem("422", "A query parameter breaks the rules; every fault is listed");
    }

    /// The schema of the next path parameter that has none yet.
    pub fn path(&mut self, schema: RefOr<Schema>) {
        self.parameters.push(
            ParameterBuilder::new()
                .name("")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(schema))
                .build(),
        );
        self.problem("404", "There is no such thing");
    }

    /// The caller needs this permission.
    pub fn requires(&mut self, permission: Permission) {
        self.requires_token();
        self.scopes = Some(vec![permission.to_string()]);
        self.problem("403", "The caller may not do this");
    }

    /// The caller needs a token.
    pub fn requires_token(&mut self) {
        self.scopes = Some(Vec::new());
        self.problem("401", "An access token is required");
    }

    /// An answer with a JSON body of shape `T`.
    pub fn answers<T: ToSchema>(&mut self, status: &str, says: &str) {
        let schema = self.schema_of::<T>();
        let response = ResponseBuilder::new()
            .description(says)
            .content("application/json", Content::new(Some(schema)))
            .build();
        self.responses.insert(status.to_owned(), response);
    }

    /// An answer without a body, or with one that no schema describes.
    pub fn answers_with(&mut self, status: &str, says: &str, media_type: Option<&str>) {
        let mut response = ResponseBuilder::new().description(says);
        if let Some(media_type) = media_type {
            response = response.content(media_type, Content::new(Some(String::schema())));
        }
        self.responses.insert(status.to_owned(), response.build());
    }

    /// The same answer in another form, a text that no schema describes.
    pub fn also_as(&mut self, status: &str, media_type: &str) {
        if let Some(response) = self.responses.get_mut(status) {
            let text = Content::new(Some(String::schema()));
            response.content.insert(media_type.to_owned(), RefOr::T(text));
        }
    }

    /// A problem that it may answer with.
    pub fn problem(&mut self, status: &str, says: &str) {
        let schema = self.schema_of::<ProblemBody>();
        let response = ResponseBuilder::new()
            .description(says)
            .content("application/problem+json", Content::new(Some(schema)))
            .build();
        self.responses.entry(status.to_owned()).or_insert(response);
    }

    /// The operation for the document, and the schemas that it refers to.
    pub(crate) fn finish(
        mut self,
        id: String,
        tag: &str,
        summary: &str,
        path: &str,
    ) -> (utoipa::openapi::path::Operation, Vec<(String, RefOr<Schema>)>) {
        self.problem("default", "Any other problem");
        let mut names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        for parameter in self.parameters.iter_mut().filter(|parameter| parameter.name.is_empty()) {
            names.next().unwrap_or_default().clone_into(&mut parameter.name);
        }
        let mut operation = OperationBuilder::new()
            .operation_id(Some(id))
            .tag(tag)
            .summary(Some(summary))
            .parameters(Some(self.parameters));
        if let Some((media_type, content)) = self.body {
            let body = RequestBodyBuilder::new().required(Some(Required::True)).content(media_type, content);
            operation = operation.request_body(Some(body.build()));
        }
        if let Some(scopes) = self.scopes {
            operation = operation.security(SecurityRequirement::new("bearer", scopes));
        }
        for (status, response) in self.responses {
            operation = operation.response(status, response);
        }
        (operation.build(), self.schemas)
    }
}

/// An answer that is a problem (RFC 9457). Some problems have further members.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it is there for its schema")]
struct ProblemBody {
    /// Names the kind of problem.
    r#type: String,
    /// The kind of problem in words.
    title: String,
    /// HTTP status.
    status: u16,
    /// What happened this time.
    detail: Option<String>,
    /// Stable name of the kind of problem.
    code: String,
    /// Names the request; logs and audit rows have it too.
    request_id: String,
    /// Every fault of the input.
    errors: Option<Vec<FieldError>>,
}

macro_rules! describe_tuples {
    ($(($($part:ident)*))*) => {$(
        impl<$($part: Describe),*> Describe for ($($part,)*) {
            fn describe(operation: &mut Operation) {
                let _ = &operation;
                $($part::describe(operation);)*
            }
        }
    )*};
}

describe_tuples! { () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

impl<T: Describe> Describe for Result<T, Problem> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<T: ToSchema> Describe for web::Json<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>("200", "What was asked for");
    }
}

/// What the service itself provides says nothing about the operation.
impl<T: 'static> Describe for web::Data<T> {
    fn describe(_: &mut Operation) {}
}

/// What the handler takes from the request by itself.
impl Describe for HttpRequest {
    fn describe(_: &mut Operation) {}
}

/// Says nothing about itself; the route's summary has to.
impl Describe for HttpResponse {
    fn describe(operation: &mut Operation) {
        operation.answers_with("200", "See the summary", None);
    }
}

/// A document without a fixed shape.
#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
pub struct FreeForm(pub Value);

impl ToSchema for FreeForm {}

impl utoipa::PartialSchema for FreeForm {
    fn schema() -> RefOr<Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .into()
    }
}
