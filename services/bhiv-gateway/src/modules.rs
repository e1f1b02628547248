//! Where the modules are, and which paths are theirs.

use std::sync::Arc;

use actix_web::http::Uri;
use bhiv_clock::Clock;

use crate::circuit::Circuit;
use crate::config::{ForwardSettings, ModuleUrls};
use crate::domain::openapi::{Alias, alias};

/// A module behind the gateway.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its name.
    pub name: &'static str,
    /// First words of its paths.
    words: &'static [&'static str],
    /// Where it is, without a trailing slash.
    pub url: String,
    /// How it is, as far as requests show.
    pub circuit: Arc<Circuit>,
}

/// The modules behind the gateway.
#[derive(Clone, Debug)]
pub struct Modules(Vec<Module>);

impl Modules {
    /// # Errors
    /// When an address is no HTTP URL.
    pub fn new(urls: &ModuleUrls, settings: &ForwardSettings, clock: &Clock) -> Result<Self, String> {
        let module = |name, words, url: &str| {
            let parsed: Uri = url.parse().map_err(|error| format!("{name}: '{url}': {error}"))?;
            match (parsed.scheme_str(), parsed.host()) {
                (Some("http" | "https"), Some(_)) => {
                    let circuit = Arc::new(Circuit::new(name, settings, clock.clone()));
                    Ok(Module { name, words, url: url.trim_end_matches('/').to_owned(), circuit })
                }
                _ => Err(format!("{name}: '{url}' is not like http://host:port")),
            }
        };
        Ok(Self(vec![
            module("crm", &["crm"], &urls.crm_url)?,
            module("logistics", &["logistics"], &urls.logistics_url)?,
            module("task", &["task"], &urls.task_url)?,
            module("compliance", &["compliance", "consent"], &urls.compliance_url)?,
            module("rl", &["rl"], &urls.rl_url)?,
            module("logging", &["logs", "audit"], &urls.logging_url)?,
        ]))
    }

    /// All of them.
    pub fn all(&self) -> &[Module] {
        &self.0
    }

    /// The module of that name.
    pub fn named(&self, name: &str) -> Option<&Module> {
        self.0.iter().find(|module| module.name == name)
    }

    /// The module that answers `path`, and what it calls it.
    pub fn owner(&self, path: &str) -> Option<(&Module, String)> {
        if let Some(Alias { module, target, .. }) = alias(path) {
            return self.named(module).map(|module| (module, target.to_owned()));
        }
        let first = path.strip_prefix('/')?.split('/').next()?;
        let module = self.0.iter().find(|module| module.words.contains(&first))?;
        Some((module, path.to_owned()))
    }
}
