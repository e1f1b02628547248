//! Who gets to see which event, wherever events are shown: in lists, on streams, at webhooks.

use bhiv_auth::{Access, Caller, Module, Permission, Role, grants};
use bhiv_events::Producer;
use serde_json::Value;

/// Whether somebody with these roles may see `event`, which `module` told. This is the one place that decides it.
pub fn may_see(roles: &[Role], module: &str, _event: &Value) -> bool {
    may_read(roles, module)
}

/// Modules whose events somebody with these roles may see, for example `crm`.
pub fn modules(roles: &[Role]) -> Vec<&'static str> {
    Producer::ALL.map(Producer::prefix).into_iter().filter(|module| may_read(roles, module)).collect()
}

/// Roles by their names; what is none grants nothing.
pub fn roles(names: &[String]) -> Vec<Role> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Whether `caller` may look at and change what others made.
pub fn is_admin(caller: &Caller) -> bool {
    caller.may(Permission { module: Module::Gateway, access: Access::Admin })
}

fn may_read(roles: &[Role], module: &str) -> bool {
    let module = match module {
        "crm" => Module::Crm,
        "logistics" => Module::Logistics,
        "task" => Module::Task,
        "compliance" => Module::Compliance,
        "rl" => Module::Rl,
        "logging" => Module::Logging,
        _ => Module::Gateway,
    };
    roles.iter().any(|role| grants(*role, module) >= Some(Access::Read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_sees_the_modules_that_it_may_read() {
        assert_eq!(modules(&[Role::Admin]).len(), Producer::ALL.len());
        assert_eq!(modules(&[Role::Support]), ["crm", "logistics", "task", "core"]);
        assert_eq!(modules(&[Role::Support, Role::Compliance]).len(), Producer::ALL.len());
        assert!(modules(&[]).is_empty());
        assert!(may_see(&[Role::Viewer], "crm", &Value::Null));
        assert!(!may_see(&[Role::Viewer], "compliance", &Value::Null));
    }
}
