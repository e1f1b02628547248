//! What roles of an outside issuer stand for here.

use std::str::FromStr;

use bhiv_auth::Role;
use serde_json::Value;

/// `theirs=ours`, separated by commas. What it does not name stands for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMap(Vec<(String, Role)>);

impl FromStr for RoleMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rows = text.split(',').map(str::trim).filter(|row| !row.is_empty()).map(|row| {
            let (theirs, ours) =
                row.rsplit_once('=').ok_or_else(|| format!("'{row}' is not like theirs=ours"))?;
            Ok((theirs.trim().to_owned(), ours.trim().parse()?))
        });
        rows.collect::<Result<_, String>>().map(Self)
    }
}

/// What stands in `claim`: a name, or a path with dots like `realm_access.roles`.
pub fn claimed<'a>(claims: &'a Value, claim: &str) -> Option<&'a Value> {
    claims.get(claim).or_else(|| claim.split('.').try_fold(claims, |value, name| value.get(name)))
}

impl RoleMap {
    /// Our roles for what stands in `claim`: a name, or a path with dots like `realm_access.roles`; an array of
    /// texts, or one text with spaces between the roles.
    pub fn of(&self, claims: &Value, claim: &str) -> Vec<Role> {
        let theirs: Vec<&str> = match claimed(claims, claim) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => text.split_whitespace().collect(),
            _ => Vec::new(),
        };
        let mut ours = Vec::new();
        for (name, role) in &self.0 {
            if theirs.contains(&name.as_str()) && !ours.contains(role) {
                ours.push(*role);
            }
        }
        ours
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_mapped_and_nothing_else_is_believed() {
        let map: RoleMap = "crm-sellers=sales, ops:lead=manager,boss=admin".parse().unwrap();
        let claims = json!({
            "roles": ["crm-sellers", "admin", "crm-sellers"],
            "realm_access": {"roles": ["ops:lead"]},
            "https://example.com/roles": ["boss"],
            "scope": "openid boss",
        });
        assert_eq!(map.of(&claims, "roles"), [Role::Sales], "their admin is not ours");
        assert_eq!(map.of(&claims, "realm_access.roles"), [Role::Manager]);
        assert_eq!(map.of(&claims, "https://example.com/roles"), [Role::Admin]);
        assert_eq!(map.of(&claims, "scope"), [Role::Admin]);
        assert_eq!(map.of(&claims, "nothing"), []);
        assert!("boss".parse::<RoleMap>().is_err());
        assert!("boss=root".parse::<RoleMap>().unwrap_err().contains("admin, manager"));
    }
}
