//! The API of all modules in one document, asked from the modules that are running.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use bhiv_service::Service as _;
use bhiv_web::{Problem, Result};
use futures_util::future::join_all;
use hyper::StatusCode;
use serde_json::Value;

use crate::Gateway;
use crate::domain::openapi::merge;
use crate::forward::Client;
use crate::modules::{Module, Modules};

const PATIENCE: Duration = Duration::from_secs(3);

/// What each module said when it was last asked, for when it does not answer. Cloning it shares it.
#[derive(Clone, Debug, Default)]
pub struct Documents(Arc<Mutex<HashMap<&'static str, Value>>>);

/// `GET /openapi.json`.
pub async fn openapi(
    modules: Data<Modules>,
    documents: Data<Documents>,
    client: Data<Client>,
) -> Result<HttpResponse> {
    let own = serde_json::to_value(Gateway::api().document()).map_err(|error| Problem::internal(&error))?;
    let answers = join_all(modules.all().iter().map(|module| ask(&client, module))).await;

    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let mut known = documents.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (module, answer) in modules.all().iter().zip(answers) {
        match answer {
            Some(document) => {
                known.insert(module.name, document.clone());
                found.push((module.name, document));
            }
            None => match known.get(module.name) {
                Some(document) => found.push((module.name, document.clone())),
                None => missing.push(module.name),
            },
        }
    }
    drop(known);
    Ok(HttpResponse::Ok().json(merge(&own, &found, &missing)))
}

async fn ask(client: &Client, module: &Module) -> Option<Value> {
    let why = match client.read(module.at("/openapi.json")?, PATIENCE).await {
        Ok((StatusCode::OK, body)) => match serde_json::from_slice(&body) {
            Ok(document) => return Some(document),
            Err(error) => error.to_string(),
        },
        Ok((status, _)) => status.to_string(),
        Err(why) => why,
    };
    tracing::warn!(module = module.name, why, "no API document");
    None
}
