//! Who sees which event, wherever events are shown: in lists, on streams, at webhooks.

use bhiv_auth::Caller;
use serde_json::Value;

use crate::consent::Consents;
use crate::domain::visible::{may_read, reaches};

/// Decides it. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Visible(Consents);

impl Visible {
    /// By permissions, and by what people consent to.
    pub fn new(consents: Consents) -> Self {
        Self(consents)
    }

    /// Whether it can be decided yet. Until then nobody sees anything.
    pub fn is_known(&self) -> bool {
        self.0.is_known()
    }

    /// Whether `viewer` may see `event`, which `module` told, now.
    pub fn may_see(&self, viewer: &Caller, module: &str, event: &Value) -> bool {
        may_read(viewer, module) && (module != "crm" || reaches(viewer, event)) && self.0.may_show(event)
    }
}
