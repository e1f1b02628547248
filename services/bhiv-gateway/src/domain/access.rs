//! Who may knock at which door: one table, denied by default.

use bhiv_auth::{Access, Module, Permission};

/// What a request needs to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Everybody may.
    Nothing,
    /// Any valid token.
    Token,
    /// A token with this permission.
    Permission(Permission),
    /// There is no such door.
    Unknown,
}

/// What `method` on `path` needs here. The owner of the path may ask for more.
pub fn need(method: &str, path: &str) -> Need {
    match path {
        "/"
        | "/health"
        | "/health/live"
        | "/health/ready"
        | "/metrics"
        | "/version"
        | "/openapi.json"
        | "/docs"
        | "/.well-known/jwks.json"
        | "/compliance/keys"
        | "/auth/register"
        | "/auth/login"
        | "/auth/refresh"
        | "/auth/logout" => return Need::Nothing,
        "/auth/me" | "/auth/password" | "/status" => return Need::Token,
        "/review" => return read_or_write(method, Module::Gateway),
        "/bhiv/agent/decide" => return read_or_write(method, Module::Rl),
        _ => {}
    }
    if path.starts_with("/docs/") || path.starts_with("/logistics/track/") {
        return Need::Nothing;
    }
    for own in ["/auth/sessions", "/auth/keys"] {
        if path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Need::Token;
        }
    }
    let mut words = path.trim_start_matches('/').split('/');
    match words.next().unwrap_or_default() {
        "crm" => read_or_write(method, Module::Crm),
        "logistics" => read_or_write(method, Module::Logistics),
        "task" => read_or_write(method, Module::Task),
        "compliance" | "consent" => read_or_write(method, Module::Compliance),
        "rl" => read_or_write(method, Module::Rl),
        // Whoever may read may keep what they look for.
        "logs" if words.next() == Some("searches") => read_or_write("GET", Module::Logging),
        "logs" | "audit" => read_or_write(method, Module::Logging),
        "event" | "events" | "ws" => read_or_write(method, Module::Gateway),
        "bhiv" => match words.next().unwrap_or_default() {
            "agent" | "agents" | "customers" | "dashboard" | "status" => {
                read_or_write(method, Module::Gateway)
            }
            _ => Need::Unknown,
        },
        "auth" => Need::Permission(Permission { module: Module::Gateway, access: Access::Admin }),
        _ => Need::Unknown,
    }
}

fn read_or_write(method: &str, module: Module) -> Need {
    let access = if matches!(method, "GET" | "HEAD") { Access::Read } else { Access::Write };
    Need::Permission(Permission { module, access })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    fn permission(method: &str, path: &str) -> String {
        match need(method, path) {
            Need::Permission(permission) => permission.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_door_has_its_need() {
        for (method, path, wanted) in [
            ("GET", "/", "Nothing"),
            ("POST", "/auth/login", "Nothing"),
            ("GET", "/auth/me", "Token"),
            ("POST", "/auth/refresh", "Nothing"),
            ("GET", "/auth/users", "gateway:admin"),
            ("DELETE", "/auth/sessions/1", "Token"),
            ("GET", "/auth/keys", "Token"),
            ("GET", "/auth/keyring", "gateway:admin"),
            ("GET", "/crm/leads", "crm:read"),
            ("POST", "/crm/leads", "crm:write"),
            ("POST", "/consent/grant", "compliance:write"),
            ("GET", "/audit", "logging:read"),
            ("POST", "/logs/searches", "logging:read"),
            ("PUT", "/logs/retention", "logging:write"),
            ("GET", "/compliance/keys", "Nothing"),
            ("GET", "/compliance/packs", "compliance:read"),
            ("GET", "/logistics/track/BHV1", "Nothing"),
            ("GET", "/logistics/tracks", "logistics:read"),
            ("POST", "/bhiv/agent/decide", "rl:write"),
            ("POST", "/event/unified", "gateway:write"),
            ("GET", "/ws", "gateway:read"),
            ("GET", "/status", "Token"),
            ("GET", "/review", "gateway:read"),
            ("GET", "/bhiv/customers/0190", "gateway:read"),
            ("POST", "/bhiv/agents/register", "gateway:write"),
            ("DELETE", "/bhiv/agents/a", "gateway:write"),
            ("GET", "/bhiv", "Unknown"),
            ("GET", "/bhiv/nothing", "Unknown"),
            ("GET", "/nothing", "Unknown"),
            ("GET", "/docsecret", "Unknown"),
            ("GET", "//crm/leads", "crm:read"),
        ] {
            assert_eq!(permission(method, path), wanted, "{method} {path}");
        }
    }

    /// What the document says that an operation needs is what the gateway asks for. An owner may ask for more, to
    /// administer what it owns.
    #[test]
    fn the_table_is_that_of_the_document() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs/openapi/merged.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let mut differ = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let documented = match operation.pointer("/security/0/bearer") {
                    None => "Nothing".to_owned(),
                    Some(scopes) => match scopes.as_array().unwrap().as_slice() {
                        [] => "Token".to_owned(),
                        [scope] => scope.as_str().unwrap().to_owned(),
                        scopes => panic!("{method} {path} needs {scopes:?}"),
                    },
                };
                let asked = permission(&method.to_ascii_uppercase(), &path.replace(['{', '}'], ""));
                let owner = documented.strip_suffix(":admin").filter(|module| *module != "gateway");
                let is_stricter = owner.is_some() && owner == asked.split_once(':').map(|(module, _)| module);
                if asked != documented && !is_stricter {
                    differ.push((method, path, documented, asked));
                }
            }
        }
        assert_eq!(differ, []);
    }
}
