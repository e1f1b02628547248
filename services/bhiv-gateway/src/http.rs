//! Every route that the gateway has a handler for. All others are forwarded to their modules.

mod api_keys;
mod auth;
mod events;
mod health;
mod sessions;
mod unified;
mod users;

use actix_web::web::{self, Data, ServiceConfig};
use bhiv_service::Service as _;
use bhiv_web::Api;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{Gateway, cache, documents, forward};

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Gateway::INFO)
        .get("/", "What this is", health::index)
        .get("/health", "The state of the gateway and of every module, asked now", health::health)
        .get("/.well-known/jwks.json", "The public keys that access tokens are verified with", auth::keys)
        .post("/auth/register", "Become a user; an administrator gives roles", auth::register)
        .post("/auth/login", "Begin a session: get an access token and a refresh token", auth::login)
        .post("/auth/refresh", "Carry a session on: get new tokens for a refresh token", sessions::refresh)
        .post("/auth/logout", "End a session, or all of the caller's", sessions::logout)
        .get("/auth/me", "Who the caller is and what they may do", auth::me)
        .post(
            "/auth/password",
            "Change the caller's password; their other sessions end",
            auth::change_password,
        )
        .get("/auth/sessions", "The caller's sessions", sessions::list)
        .delete("/auth/sessions/{id}", "End one of the caller's sessions", sessions::end)
        .get("/auth/keys", "List the caller's keys for machines, the newest first", api_keys::list)
        .post("/auth/keys", "Make a key for a machine; it is shown this once", api_keys::make)
        .delete("/auth/keys/{id}", "Revoke a key, at once", api_keys::revoke)
        .get("/auth/users", "List users, the newest first", users::list)
        .get("/auth/users/{id}", "Read a user", users::read)
        .patch("/auth/users/{id}", "Change a user's name or roles", users::patch)
        .post("/event/unified", "Report something to be scored, checked and acted upon", unified::receive)
        .get("/event/unified/{id}", "What became of it, as far as it is known", unified::read)
        .get("/events/stream", "Events as they happen (server-sent events)", events::stream)
}

/// What is no operation of the API: its document, its page, and the way to the modules.
pub fn beside(app: &mut ServiceConfig) {
    let page = Config::from("/openapi.json").try_it_out_enabled(true).persist_authorization(true);
    app.app_data(Data::new(forward::client()))
        .route("/openapi.json", web::get().to(documents::openapi))
        .route("/docs", web::get().to(health::to_docs))
        .service(SwaggerUi::new("/docs/{_:.*}").config(page))
        .default_service(web::to(cache::answer));
}
