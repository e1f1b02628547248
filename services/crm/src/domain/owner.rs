use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who works on a record: a user, or nobody. What is nobody's and in no team is everybody's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(Option<String>);

impl Owner {
    /// Their id, if there is one.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The user who acts. Machines that are nobody's make records that are nobody's.
    pub fn acting(actor: &str) -> Self {
        match actor.split_once('/') {
            Some(("user", id)) => Self(Some(id.to_owned())),
            // Those of an outside issuer have ids that say so.
            Some(("oidc", _)) => Self(Some(actor.to_owned())),
            _ => Self(None),
        }
    }
}

impl From<String> for Owner {
    fn from(user: String) -> Self {
        Self(Some(user).filter(|user| !user.is_empty()))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or_default())
    }
}

impl FromStr for Owner {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_own_what_they_make_and_machines_do_not() {
        assert_eq!(Owner::acting("user/ravi").get(), Some("ravi"));
        assert_eq!(Owner::acting("oidc/7").get(), Some("oidc/7"));
        assert_eq!(Owner::acting("service/crm"), Owner::default());
        assert_eq!(Owner::acting("key/7"), Owner::default());
        let nobody: Owner = String::new().parse().unwrap();
        assert_eq!((nobody.get(), nobody.to_string().as_str()), (None, ""));
    }
}
