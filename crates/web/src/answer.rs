use actix_web::body::BoxBody;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::describe::{Describe, Operation};

/// 201 with the address of the new resource and the resource itself.
#[derive(Debug)]
pub struct Created<T> {
    location: String,
    resource: T,
}

impl<T> Created<T> {
    /// `location` is the path of the resource.
    pub fn at(location: String, resource: T) -> Self {
        Self { location, resource }
    }
}

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Created().insert_header((LOCATION, self.location)).json(self.resource)
    }
}

impl<T: ToSchema> Describe for Created<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>("201", "The new resource; `Location` has its address");
    }
}

/// 202 with the address of what has begun and will go on, and how far it is.
#[derive(Debug)]
pub struct Accepted<T> {
    location: String,
    resource: T,
}

impl<T> Accepted<T> {
    /// `location` is the path of what has begun.
    pub fn at(location: String, resource: T) -> Self {
        Self { location, resource }
    }
}

impl<T: Serialize> Responder for Accepted<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Accepted().insert_header((LOCATION, self.location)).json(self.resource)
    }
}

impl<T: ToSchema> Describe for Accepted<T> {
    fn describe(operation: &mut Operation) {
        operation
            .answers::<T>("202", "What has begun; `Location` has its address, which shows how far it is");
    }
}

/// A file that is made while it is sent.
#[derive(Debug)]
pub struct Download(pub HttpResponse);

impl Responder for Download {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl Describe for Download {
    fn describe(operation: &mut Operation) {
        operation.answers_with("200", "The file", Some("*/*"));
    }
}

/// 204.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Describe for NoContent {
    fn describe(operation: &mut Operation) {
        operation.answers_with("204", "Done", None);
    }
}

/// A stream of server-sent events.
#[derive(Debug)]
pub struct EventStream(pub HttpResponse);

impl Responder for EventStream {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl Describe for EventStream {
    fn describe(operation: &mut Operation) {
        operation.answers_with(
            "200",
            "`id`, `event` (public name) and `data` (CloudEvents JSON) of each event; `Last-Event-ID` resumes",
            Some("text/event-stream"),
        );
    }
}
