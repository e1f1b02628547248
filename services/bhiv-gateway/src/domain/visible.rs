//! Whose events somebody may read.

use bhiv_auth::{Access, Caller, Module, Permission, Reach};
use bhiv_events::Producer;
use chrono::{DateTime, Utc};
use serde_json::Value;
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

/// Whether an event of crm is about a record that `caller` may see: it names who works on the record, and an event
/// that does not is about nobody's in particular, for those who see all.
pub fn reaches(caller: &Caller, event: &Value) -> bool {
    let reach = caller.reach(Module::Crm);
    if reach == Reach::All {
        return true;
    }
    let named = |name: &str| event.pointer(&format!("/data/{name}"));
    let (Some(owner), Some(team)) = (named("owner"), named("team")) else { return false };
    reach.covers(owner.as_str(), team.as_str())
}

/// Whoever is behind a subscription, or whose machine is, in this team, with these roles and, if it was made with less
/// than they allow, these permissions. What is no role and no permission grants nothing.
pub fn viewer(
    owner: &str,
    user: Option<Uuid>,
    team: Option<&str>,
    roles: &[String],
    scope: Option<&[String]>,
) -> Caller {
    let roles: Vec<_> = roles.iter().filter_map(|name| name.parse().ok()).collect();
    let mut caller = Caller::new(owner, &roles, DateTime::<Utc>::MAX_UTC);
    caller.owner = user.map(|user| user.to_string()).filter(|user| user != owner);
    caller.team = team.map(str::to_owned);
    caller.scope = scope.map(|scope| scope.iter().filter_map(|text| text.parse().ok()).collect());
    caller
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(roles: &[&str], scope: Option<&[&str]>) -> Vec<&'static str> {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        modules(&viewer("u", None, None, &texts(roles), scope.map(texts).as_deref()))
    }

    #[test]
    fn a_role_sees_the_modules_that_it_may_read() {
        assert_eq!(seen(&["admin"], None).len(), Producer::ALL.len());
        assert_eq!(seen(&["support"], None), ["crm", "logistics", "task", "core"]);
        assert_eq!(seen(&["support", "compliance"], None).len(), Producer::ALL.len());
        assert!(seen(&["nonsense"], None).is_empty());
    }

    #[test]
    fn sellers_see_events_of_their_own_their_teams_and_nobodys_records() {
        let seller = viewer("ravi", None, Some("north"), &["sales".to_owned()], None);
        let event = |owner: Value, team: Value| json!({"data": {"owner": owner, "team": team}});
        assert!(reaches(&seller, &event("ravi".into(), Value::Null)));
        assert!(reaches(&seller, &event("asha".into(), "north".into())));
        assert!(reaches(&seller, &event(Value::Null, Value::Null)));
        assert!(!reaches(&seller, &event("asha".into(), "south".into())));
        assert!(!reaches(&seller, &json!({"data": {"lead_id": 1}})), "it may be anybody's");
        let manager = viewer("meera", None, None, &["sales".to_owned(), "manager".to_owned()], None);
        assert!(reaches(&manager, &event("asha".into(), "south".into())));
    }

    #[test]
    fn a_scope_takes_away() {
        assert_eq!(seen(&["support"], Some(&["crm:write", "rl:read", "nonsense"])), ["crm"]);
        assert!(seen(&["admin"], Some(&[])).is_empty());
    }
}
