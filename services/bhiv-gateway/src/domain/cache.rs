//! Which answers are kept, and for whom.

use bhiv_auth::{Caller, Role};

use super::path::{matching, segments};

/// Largest body that is kept, in bytes.
pub const LARGEST: usize = 1_000_000;

/// What is kept. A path belongs here if its answer depends on nothing but the path, the query, the caller's roles and
/// id, and what the module tells of by an event or an audit row whenever it changes.
///
/// So the rest is asked each time: logs (they change with everybody's events), streams, activities of crm and consents
/// (written, and acted by, in silence), reports and analytics (counted up to now), and whatever is new.
const KEPT: &[&str] = &[
    "/crm/leads",
    "/crm/leads/{id}",
    "/crm/opportunities",
    "/crm/opportunities/{id}",
    "/crm/accounts",
    "/crm/accounts/{id}",
    "/crm/contacts",
    "/crm/contacts/{id}",
    "/logistics/orders",
    "/logistics/orders/{id}",
    "/logistics/delivery",
    "/logistics/delivery/{id}",
    "/logistics/track/{tracking_number}",
    "/logistics/inventory",
    "/logistics/inventory/{id}",
    "/logistics/products",
    "/logistics/products/{id}",
    "/logistics/couriers",
    "/logistics/couriers/{id}",
    "/logistics/suppliers",
    "/logistics/suppliers/{id}",
    "/task/tasks",
    "/task/tasks/{id}",
    "/task/workflow-state",
    "/task/workflows",
    "/task/workflows/{id}",
    "/task/feedback",
    "/task/feedback/{id}",
    "/compliance/checks",
    "/compliance/checks/{id}",
    "/compliance/violations",
    "/compliance/policies",
];

/// Roles whose answers do not depend on who has them. Others may be shown their own rows alone.
const SHARED: [Role; 3] = [Role::Admin, Role::Manager, Role::Viewer];

/// Whether answers to `GET path` are kept.
pub fn is_kept(path: &str) -> bool {
    let segments = segments(path);
    let module = segments.first().map(AsRef::as_ref).unwrap_or_default();
    // Every read asks: those of other modules are not looked at any closer.
    let of_module = |pattern: &str| pattern.get(1..).is_some_and(|pattern| pattern.starts_with(module));
    KEPT.iter().any(|pattern| of_module(pattern) && matching(pattern, &segments).is_some())
}

/// What tells an answer from all others.
pub fn key(path: &str, query: &str, accept: &str, caller: Option<&Caller>) -> String {
    // No part has a line break in it, so no two keys are the same by chance.
    format!("GET\n{path}\n{}\n{accept}\n{}", sorted(query), scope(caller))
}

/// Parameters sorted by their names; what stands several times keeps its order.
fn sorted(query: &str) -> String {
    let mut parameters: Vec<_> = query.split('&').filter(|parameter| !parameter.is_empty()).collect();
    parameters.sort_by_key(|parameter| parameter.split('=').next());
    parameters.join("&")
}

/// Who shares answers: callers with the same roles, whose tokens are for the same, if none of their roles may be
/// shown rows of their own; otherwise each has answers of their own.
fn scope(caller: Option<&Caller>) -> String {
    let Some(caller) = caller else { return "everybody".to_owned() };
    let roles = listed(caller.roles.iter().map(|role| role.name().to_owned()));
    let scope = match &caller.scope {
        Some(scope) => listed(scope.iter().map(ToString::to_string)),
        None => "all".to_owned(),
    };
    let is_shared = caller.roles.iter().all(|role| SHARED.contains(role));
    if is_shared {
        return format!("{roles}\n{scope}\n\n");
    }
    format!("{roles}\n{scope}\n{}\n{}", caller.id, caller.team.as_deref().unwrap_or_default())
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.join(",")
}

/// What the sender of a message wants of caches (`Cache-Control`, RFC 9111, 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `no-cache`, or `max-age=0`: not without asking.
    pub no_cache: bool,
    /// `no-store`: keep nothing.
    pub no_store: bool,
    /// `private`: not for others.
    pub private: bool,
}

impl Directives {
    /// Those of a `Cache-Control` header.
    pub fn of(header: &str) -> Self {
        let mut directives = Self::default();
        for directive in header.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let is = |wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
            directives.no_cache |= is("no-cache") || (is("max-age") && value.trim() == "0");
            directives.no_store |= is("no-store");
            directives.private |= is("private");
        }
        directives
    }
}

#[cfg(test)]
mod tests {
    use bhiv_auth::{Access, Module, Permission};
    use chrono::DateTime;

    use super::*;

    fn caller(id: &str, roles: &[Role]) -> Caller {
        Caller::new(id, roles, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn only_what_is_told_of_is_kept() {
        for path in ["/crm/leads", "/crm/leads/7", "/crm/leads/a%2F7", "/logistics/track/BHV1"] {
            assert!(is_kept(path), "{path}");
        }
        for path in [
            "/logs",
            "/logs/stream",
            "/audit/verify",
            "/crm/activities",
            "/rl/analytics",
            "/compliance/audit-report",
            "/crm/leads/7/history",
            "/crm/x/../activities",
        ] {
            assert!(!is_kept(path), "{path}");
        }
    }

    #[test]
    fn the_order_of_parameters_does_not_count_and_everything_else_does() {
        let admin = caller("ada", &[Role::Admin]);
        let admin = Some(&admin);
        let one = key("/crm/leads", "b=1&a=2&a=1", "", admin);
        assert_eq!(one, key("/crm/leads", "a=2&a=1&b=1&", "", admin));
        assert_ne!(one, key("/crm/leads", "a=1&a=2&b=1", "", admin));
        assert_ne!(one, key("/crm/lead", "b=1&a=2&a=1", "", admin));
        assert_ne!(one, key("/crm/leads", "b=1&a=2&a=1", "text/csv", admin));
        assert_ne!(one, key("/crm/leads", "b=1&a=2&a=1", "", None));
    }

    #[test]
    fn callers_share_only_what_cannot_depend_on_them() {
        let ask = |caller: &Caller| super::key("/crm/leads", "", "", Some(caller));
        let key = |id, roles: &[Role]| ask(&caller(id, roles));
        assert_eq!(key("a", &[Role::Viewer]), key("b", &[Role::Viewer]));
        assert_eq!(key("a", &[Role::Viewer, Role::Admin]), key("b", &[Role::Admin, Role::Viewer]));
        assert_ne!(key("a", &[Role::Viewer]), key("a", &[Role::Admin]));
        assert_ne!(key("a", &[Role::Sales]), key("b", &[Role::Sales]));
        assert_ne!(key("a", &[Role::Sales, Role::Viewer]), key("b", &[Role::Sales, Role::Viewer]));
        let narrow = Permission { module: Module::Crm, access: Access::Read };
        let narrow = Caller { scope: Some(vec![narrow]), ..caller("a", &[Role::Viewer]) };
        assert_ne!(key("a", &[Role::Viewer]), ask(&narrow));
    }

    #[test]
    fn directives_are_read_in_any_case_and_order() {
        let directives = Directives::of("max-age=0, Private=\"x\",NO-STORE");
        assert_eq!(directives, Directives { no_cache: true, no_store: true, private: true });
        assert_eq!(Directives::of("max-age=60, public"), Directives::default());
    }
}
