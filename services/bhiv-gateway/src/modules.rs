//! Where the modules are, and which paths are theirs.

use std::sync::Arc;

use actix_web::web::Bytes;
use bhiv_clock::Clock;
use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use url::Url;

use crate::circuit::Circuit;
use crate::config::{ForwardSettings, ModuleUrls};
use crate::domain::openapi::{Alias, alias};

/// What they are called.
pub const NAMES: [&str; 6] = ["crm", "logistics", "task", "compliance", "rl", "logging"];

/// A module behind the gateway.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its name.
    pub name: &'static str,
    /// First words of its paths.
    words: &'static [&'static str],
    /// Where it is.
    place: Place,
    /// How it is, as far as requests show.
    pub circuit: Arc<Circuit>,
}

impl Module {
    /// Where it has `target`, a path with its query, just as it stands there; nothing if it is no such thing.
    pub fn at(&self, target: &str) -> Option<Uri> {
        self.place.below(target)
    }

    /// What it is called in requests: the client would put it together each time.
    pub fn host(&self) -> HeaderValue {
        self.place.host.clone()
    }
}

/// An address that paths are put below.
#[derive(Clone, Debug)]
struct Place {
    scheme: Scheme,
    authority: Authority,
    /// The authority, as a header.
    host: HeaderValue,
    /// Stands before every path.
    under: String,
}

impl Place {
    fn new(url: &Url) -> Option<Self> {
        let uri: Uri = url.as_str().parse().ok()?;
        let authority = uri.authority()?.clone();
        let host = HeaderValue::from_str(authority.as_str()).ok()?;
        Some(Self {
            scheme: uri.scheme()?.clone(),
            authority,
            host,
            under: url.path().trim_end_matches('/').to_owned(),
        })
    }

    fn below(&self, target: &str) -> Option<Uri> {
        let target = Bytes::from([&self.under, target].concat());
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_maybe_shared(target).ok()?);
        Uri::from_parts(parts).ok()
    }
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
            let is_plain = matches!(parsed.scheme(), "http" | "https") && !has_user;
            let place = Place::new(&parsed).filter(|_| is_plain);
            let place = place.ok_or_else(|| format!("{name}: '{url}' is not like http://host:port"))?;
            let circuit = Arc::new(Circuit::new(name, settings, clock.clone()));
            Ok::<_, String>(Module { name, words, place, circuit })
        };
        let [crm, logistics, task, compliance, rl, logging] = NAMES;
        Ok(Self(vec![
            module(crm, &["crm"], &urls.crm_url)?,
            module(logistics, &["logistics"], &urls.logistics_url)?,
            module(task, &["task"], &urls.task_url)?,
            module(compliance, &["compliance", "consent"], &urls.compliance_url)?,
            module(rl, &["rl"], &urls.rl_url)?,
            module(logging, &["logs", "audit"], &urls.logging_url)?,
        ]))
    }

    /// All of them.
    pub fn all(&self) -> &[Module] {
        &self.0
    }

    /// First words of the paths that are theirs.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().flat_map(|module| module.words).copied()
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
        /// Whatever path is let in: it is sent as it is.
        #[test]
        fn what_is_let_in_is_what_is_sent(path in "(/(\\.|%2e|%2E|%[0-9a-f]{2}|[a-z;:@~'(){}|^\\\\]){0,4}){1,4}") {
            for base in ["http://module", "http://module/", "https://module:8443/under/it/"] {
                let base: Url = base.parse().unwrap();
                let sent = Place::new(&base).unwrap().below(&format!("{path}?a=%2F&b=c%20d"));
                if target::check(&path).is_ok() {
                    let sent = sent.unwrap();
                    let under = base.path().trim_end_matches('/');
                    prop_assert_eq!(sent.path(), format!("{under}{path}"));
                    prop_assert_eq!(sent.query(), Some("a=%2F&b=c%20d"));
                    prop_assert_eq!(sent.scheme_str(), Some(base.scheme()));
                    prop_assert_eq!(sent.authority().unwrap().as_str(), base.authority());
                    // Whoever reads it as browsers do means the same path.
                    let read: Url = sent.to_string().parse().unwrap();
                    prop_assert_eq!(read.path(), sent.path());
                } else if let Some(sent) = sent {
                    prop_assert!(sent.path().ends_with(&path));
                }
            }
        }
    }
}
