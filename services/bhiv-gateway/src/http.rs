//! Every route that the gateway has a handler for. All others are forwarded to their modules.

mod agents;
mod api_keys;
mod auth;
mod customers;
mod dashboard;
mod events;
mod health;
mod publish;
mod review;
mod sessions;
mod status;
mod subscriptions;
mod unified;
mod users;
mod ws;

use actix_web::web::{self, Data, ServiceConfig};
use bhiv_service::Service as _;
use bhiv_web::Api;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::forward::Clients;
use crate::modules::Modules;
use crate::{Gateway, cache, documents};

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Gateway::INFO)
        .get("/", "What this is", health::index)
        .get("/health", "The state of the gateway and of every module, asked now", health::health)
        .get("/status", "The state of everything in figures, measured now", status::read)
        .get("/review", "What somebody has to look at now", review::read)
        .get("/bhiv/dashboard", "The business in figures, counted now", dashboard::read)
        .get("/bhiv/customers/{lead_id}", "Everything about a customer, from every module", customers::read)
        .get("/bhiv/status", "How agents and what decides for them are", agents::status)
        .get("/bhiv/agents", "List agents, the newest first", agents::list)
        .get("/bhiv/agents/{agent_id}", "Read an agent", agents::read)
        .delete("/bhiv/agents/{agent_id}", "Forget an agent", agents::remove)
        .post("/bhiv/agents/register", "Say that an agent is there and what it can do", agents::register)
        .post("/bhiv/agent/register", "Register an agent, under its other name", agents::register)
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
        .post("/event/publish", "Publish an event of a kind of your own", publish::publish)
        .get(
            "/event/events",
            "Events of the last hour, the newest first; older ones are in /logs",
            events::list,
        )
        .get("/event/events/{id}", "Read an event of the last hour, once it has come back", events::read)
        .post("/event/subscribe", "Have events sent to a webhook; answers its secret", subscriptions::create)
        .get("/event/subscribe", "List your webhooks, the newest first", subscriptions::list)
        .get("/event/subscribe/{id}", "Read a webhook", subscriptions::read)
        .patch("/event/subscribe/{id}", "Change a webhook, disable or enable it", subscriptions::patch)
        .delete("/event/subscribe/{id}", "Remove a webhook", subscriptions::delete)
        .post(
            "/event/subscribe/{id}/rotate-secret",
            "Get a new secret; the old one is signed with beside it for 24 hours",
            subscriptions::rotate_secret,
        )
        .post("/event/subscribe/{id}/test", "Send a `webhook_test` event to it", subscriptions::test)
        .get("/event/subscribe/{id}/deliveries", "What came of each attempt", subscriptions::deliveries)
        .get("/events/stream", "Events as they happen (server-sent events)", events::stream)
        .get("/ws", "Events as they happen (WebSocket)", ws::connect)
}

/// What is no operation of the API: its document, its page, and the way to the modules.
pub fn beside(app: &mut ServiceConfig, clients: &Clients, modules: &Modules) {
    // They are known by their first word: so most requests are not compared with every route of ours.
    for word in modules.words() {
        app.service(web::scope(&format!("/{word}")).default_service(web::to(cache::answer)));
    }
    let page = Config::from("/openapi.json").try_it_out_enabled(true).persist_authorization(true);
    app.app_data(Data::new(clients.client()))
        .route("/openapi.json", web::get().to(documents::openapi))
        .route("/docs", web::get().to(health::to_docs))
        .service(SwaggerUi::new("/docs/{_:.*}").config(page))
        .default_service(web::to(cache::answer));
}
