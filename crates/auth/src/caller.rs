use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Permission, Role, grants};

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
}

impl Caller {
    /// Whether one of the caller's roles grants `permission`.
    pub fn may(&self, permission: Permission) -> bool {
        self.roles.iter().any(|role| grants(*role, permission.module) >= Some(permission.access))
    }

    /// How events and audit rows name the caller.
    pub fn actor(&self) -> String {
        format!("user/{}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Module};

    #[test]
    fn one_role_suffices_and_more_access_includes_less() {
        let caller = |roles: &[Role]| Caller {
            id: "u".to_owned(),
            roles: roles.to_vec(),
            expires: DateTime::UNIX_EPOCH,
        };
        let write = Permission { module: Module::Crm, access: Access::Write };
        let read = Permission { module: Module::Crm, access: Access::Read };
        assert!(!caller(&[]).may(read));
        assert!(!caller(&[Role::Viewer]).may(write));
        assert!(caller(&[Role::Viewer]).may(read));
        assert!(caller(&[Role::Viewer, Role::Sales]).may(write));
        assert!(caller(&[Role::Sales]).may(read));
    }
}
