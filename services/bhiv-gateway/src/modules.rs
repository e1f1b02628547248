//! Where the modules are, and which paths are theirs.

use std::sync::Arc;

use bhiv_clock::Clock;
use url::Url;

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
    /// Where it is.
    url: Url,
    /// How it is, as far as requests show.
    pub circuit: Arc<Circuit>,
}

impl Module {
    /// Where it has `target`, a path with its query; nothing if the client library would ask for another path.
    pub fn at(&self, target: &str) -> Option<Url> {
        below(&self.url, target)
    }
}

fn below(base: &Url, target: &str) -> Option<Url> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut url = base.clone();
    match base.path() {
        "/" => url.set_path(path),
        under => url.set_path(&format!("{}{path}", under.trim_end_matches('/'))),
    }
    url.set_query(query);
    // The library has an opinion on paths. Where it differs, permission was given for another one.
    url.path().ends_with(path).then_some(url)
}

/// The modules behind the gateway.
#[derive(Clone, Debug)]
pub struct Modules(Vec<Module>);

impl Modules {
    /// # Errors
    /// When an address is no HTTP URL.
    pub fn new(urls: &ModuleUrls, settings: &ForwardSettings, clock: &Clock) -> Result<Self, String> {
        let module = |name, words, url: &str| {
            let parsed: Url = url.parse().map_err(|error| format!("{name}: '{url}': {error}"))?;
            let has_user = !parsed.username().is_empty() || parsed.password().is_some();
            if !matches!(parsed.scheme(), "http" | "https") || has_user {
                return Err(format!("{name}: '{url}' is not like http://host:port"));
            }
            let circuit = Arc::new(Circuit::new(name, settings, clock.clone()));
            Ok(Module { name, words, url: parsed, circuit })
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
    pub fn owner<'p>(&self, path: &'p str) -> Option<(&Module, &'p str)> {
        if let Some(Alias { module, target, .. }) = alias(path) {
            return self.named(module).map(|module| (module, target));
        }
        let first = path.strip_prefix('/')?.split('/').next()?;
        let module = self.0.iter().find(|module| module.words.contains(&first))?;
        Some((module, path))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::target;

    proptest! {
        /// Whatever path is let in: the library that sends it leaves it as it is.
        #[test]
        fn what_is_let_in_is_what_is_sent(path in "(/(\\.|%2e|%2E|%[0-9a-f]{2}|[a-z;:@~'(){}|^\\\\]){0,4}){1,4}") {
            for base in ["http://module", "http://module/", "https://module:8443/under/it/"] {
                let base: Url = base.parse().unwrap();
                let sent = below(&base, &format!("{path}?a=%2F&b=c d"));
                if target::check(&path).is_ok() {
                    let sent = sent.unwrap();
                    let under = base.path().trim_end_matches('/');
                    prop_assert_eq!(sent.path(), format!("{under}{path}"));
                    prop_assert_eq!(sent.query(), Some("a=%2F&b=c%20d"));
                    prop_assert_eq!(sent.authority(), base.authority());
                } else if let Some(sent) = sent {
                    prop_assert!(sent.path().ends_with(&path));
                }
            }
        }
    }
}
