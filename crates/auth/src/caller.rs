use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Module, Permission, Role, grants};

/// What an access token says (RFC 9068 in part).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Id of the user or machine.
    pub sub: String,
    /// Who issued it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// What the caller is.
    pub roles: Vec<Role>,
    /// Permissions with spaces between them, if the token is for less than the roles allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The session that it was issued in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The team that the user works in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The user whose records are the caller's, if the caller is a machine of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A caller whose token was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// Id of the user or machine.
    pub id: String,
    /// What they are.
    pub roles: Vec<Role>,
    /// When their token ends.
    pub expires: DateTime<Utc>,
    /// Nothing but this, if the token is for less than the roles allow.
    pub scope: Option<Vec<Permission>>,
    /// The session that their token was issued in.
    pub session: Option<String>,
    /// The team that they work in.
    pub team: Option<String>,
    /// The user whose records are theirs, if they are a machine of that user.
    pub owner: Option<String>,
}

/// Which records of a module somebody may see who may see any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All.
    All,
    /// Their own, those of their team if they have one, and nobody's.
    Own {
        /// Who they are, as records name their owner.
        user: String,
        /// The team that they work in.
        team: Option<String>,
    },
}

impl Reach {
    /// Whether it covers a record with that owner, in that team. What has neither is everybody's.
    pub fn covers(&self, owner: Option<&str>, owner_team: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Own { user, team } => match (owner, owner_team) {
                (None, None) => true,
                (owner, owner_team) => {
                    owner == Some(user) || (team.is_some() && team.as_deref() == owner_team)
                }
            },
        }
    }
}

impl Caller {
    /// A caller who may do what `roles` allow, outside of any session.
    pub fn new(id: impl Into<String>, roles: &[Role], expires: DateTime<Utc>) -> Self {
        Self {
            id: id.into(),
            roles: roles.to_vec(),
            expires,
            scope: None,
            session: None,
            team: None,
            owner: None,
        }
    }

    /// Whether one of the caller's roles grants `permission`, and their token is for it.
    pub fn may(&self, permission: Permission) -> bool {
        let is_granted =
            self.roles.iter().any(|role| grants(*role, permission.module) >= Some(permission.access));
        is_granted
            && self.scope.as_ref().is_none_or(|scope| scope.iter().any(|given| given.includes(permission)))
    }

    /// Which records of `module` they see: whoever may read there only as sales sees their own and their team's.
    pub fn reach(&self, module: Module) -> Reach {
        let is_wider = |role: &Role| *role != Role::Sales && grants(*role, module).is_some();
        if self.roles.iter().any(is_wider) {
            return Reach::All;
        }
        let user = self.owner.as_ref().unwrap_or(&self.id);
        Reach::Own { user: user.clone(), team: self.team.clone() }
    }

    /// How events and audit rows name the caller. Machines and callers of other issuers say what they are.
    pub fn actor(&self) -> String {
        if self.id.contains('/') { self.id.clone() } else { format!("user/{}", self.id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;

    #[test]
    fn one_role_suffices_and_more_access_includes_less() {
        let caller = |roles: &[Role]| Caller::new("u", roles, DateTime::UNIX_EPOCH);
        let write = Permission { module: Module::Crm, access: Access::Write };
        let read = Permission { module: Module::Crm, access: Access::Read };
        assert!(!caller(&[]).may(read));
        assert!(!caller(&[Role::Viewer]).may(write));
        assert!(caller(&[Role::Viewer]).may(read));
        assert!(caller(&[Role::Viewer, Role::Sales]).may(write));
        assert!(caller(&[Role::Sales]).may(read));
    }

    #[test]
    fn a_scope_takes_away_and_never_gives() {
        let permission = |text: &str| text.parse::<Permission>().unwrap();
        let mut caller = Caller::new("u", &[Role::Sales], DateTime::UNIX_EPOCH);
        caller.scope = Some(vec![permission("crm:read"), permission("logistics:admin")]);
        assert!(caller.may(permission("crm:read")));
        assert!(!caller.may(permission("crm:write")), "the role grants it, the scope does not");
        assert!(caller.may(permission("logistics:read")));
        assert!(!caller.may(permission("logistics:write")), "the scope names it, the role does not grant it");
        assert!(!caller.may(permission("task:read")));
    }

    #[test]
    fn a_machine_reaches_the_records_of_its_user_and_acts_as_itself() {
        let mut caller = Caller::new("key/7", &[Role::Sales], DateTime::UNIX_EPOCH);
        caller.owner = Some("ravi".to_owned());
        let reach = caller.reach(Module::Crm);
        assert!(reach.covers(Some("ravi"), None) && !reach.covers(Some("key/7"), None));
        assert_eq!(caller.actor(), "key/7");
    }

    #[test]
    fn sales_reaches_its_own_and_its_teams_records_and_a_manager_all() {
        let mut caller = Caller::new("ravi", &[Role::Sales], DateTime::UNIX_EPOCH);
        let alone = caller.reach(Module::Crm);
        assert!(
            alone.covers(Some("ravi"), None)
                && !alone.covers(Some("asha"), None)
                && !alone.covers(Some("asha"), Some("north"))
        );
        assert!(alone.covers(None, None) && !alone.covers(None, Some("north")));
        caller.team = Some("north".to_owned());
        let team = caller.reach(Module::Crm);
        assert!(team.covers(Some("asha"), Some("north")) && !team.covers(Some("asha"), Some("south")));
        caller.roles.push(Role::Manager);
        assert_eq!(caller.reach(Module::Crm), Reach::All);
        assert_eq!(Caller::new("v", &[Role::Viewer], DateTime::UNIX_EPOCH).reach(Module::Crm), Reach::All);
    }

    #[test]
    fn machines_say_what_they_are() {
        let actor = |id: &str| Caller::new(id, &[], DateTime::UNIX_EPOCH).actor();
        assert_eq!(actor("ravi"), "user/ravi");
        assert_eq!(actor("key/7"), "key/7");
    }
}
