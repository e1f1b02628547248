//! Whose events somebody may read.

use bhiv_auth::{Access, Caller, Module, Permission};
use bhiv_events::Producer;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Whether `caller` may see what `module`, for example `crm`, tells.
pub fn may_read(caller: &Caller, module: &str) -> bool {
    let module = match module {
        "crm" => Module::Crm,
        "logistics" => Module::Logistics,
        "task" => Module::Task,
        "compliance" => Module::Compliance,
        "rl" => Module::Rl,
        "logging" => Module::Logging,
        _ => Module::Gateway,
    };
    caller.may(Permission { module, access: Access::Read })
}

/// Modules whose events `caller` may see.
pub fn modules(caller: &Caller) -> Vec<&'static str> {
    Producer::ALL.map(Producer::prefix).into_iter().filter(|module| may_read(caller, module)).collect()
}

/// Whether `caller` may look at and change what others made.
pub fn is_admin(caller: &Caller) -> bool {
    caller.may(Permission { module: Module::Gateway, access: Access::Admin })
}

/// Whoever is behind a subscription, with these roles and, if it was made with less than they allow, these
/// permissions. What is no role and no permission grants nothing.
pub fn viewer(subscription: &Uuid, roles: &[String], scope: Option<&[String]>) -> Caller {
    let roles: Vec<_> = roles.iter().filter_map(|name| name.parse().ok()).collect();
    let mut caller = Caller::new(format!("subscription/{subscription}"), &roles, DateTime::<Utc>::MAX_UTC);
    caller.scope = scope.map(|scope| scope.iter().filter_map(|text| text.parse().ok()).collect());
    caller
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(roles: &[&str], scope: Option<&[&str]>) -> Vec<&'static str> {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        modules(&viewer(&Uuid::nil(), &texts(roles), scope.map(texts).as_deref()))
    }

    #[test]
    fn a_role_sees_the_modules_that_it_may_read() {
        assert_eq!(seen(&["admin"], None).len(), Producer::ALL.len());
        assert_eq!(seen(&["support"], None), ["crm", "logistics", "task", "core"]);
        assert_eq!(seen(&["support", "compliance"], None).len(), Producer::ALL.len());
        assert!(seen(&["nonsense"], None).is_empty());
    }

    #[test]
    fn a_scope_takes_away() {
        assert_eq!(seen(&["support"], Some(&["crm:write", "rl:read", "nonsense"])), ["crm"]);
        assert!(seen(&["admin"], Some(&[])).is_empty());
    }
}
