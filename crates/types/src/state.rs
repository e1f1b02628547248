use std::fmt::Display;

/// A state machine as one table: which states may follow each state.
pub trait State: Copy + Eq + Display + 'static {
    /// Every state with those that may follow it.
    const TRANSITIONS: &'static [(Self, &'static [Self])];

    /// The states that may follow this one.
    fn next(self) -> &'static [Self] {
        Self::TRANSITIONS.iter().find(|(from, _)| *from == self).map_or(&[], |(_, next)| next)
    }

    /// Whether nothing may follow this state.
    fn is_final(self) -> bool {
        self.next().is_empty()
    }

    /// Moves on to `to`.
    ///
    /// # Errors
    /// When the table does not have that transition; the error names those that it has.
    fn become_(self, to: Self) -> Result<Self, IllegalTransition> {
        if self.next().contains(&to) {
            return Ok(to);
        }
        Err(IllegalTransition {
            from: self.to_string(),
            to: to.to_string(),
            allowed: self.next().iter().map(ToString::to_string).collect(),
        })
    }
}

/// A state cannot follow another one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{from}' cannot become '{to}'; {}", allowed_in_words(allowed))]
pub struct IllegalTransition {
    /// The state that it is in.
    pub from: String,
    /// The state that was asked for.
    pub to: String,
    /// The states that it may become.
    pub allowed: Vec<String>,
}

fn allowed_in_words(allowed: &[String]) -> String {
    match allowed {
        [] => "nothing follows it".to_owned(),
        allowed => format!("it may become {}", allowed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
    #[strum(serialize_all = "snake_case")]
    enum Door {
        Open,
        Shut,
        Walled,
    }

    impl State for Door {
        const TRANSITIONS: &'static [(Self, &'static [Self])] =
            &[(Self::Open, &[Self::Shut]), (Self::Shut, &[Self::Open, Self::Walled]), (Self::Walled, &[])];
    }

    #[test]
    fn a_refusal_names_what_is_allowed() {
        assert_eq!(Door::Open.become_(Door::Shut), Ok(Door::Shut));
        let refused = Door::Open.become_(Door::Walled).unwrap_err();
        assert_eq!(refused.to_string(), "'open' cannot become 'walled'; it may become shut");
        let refused = Door::Walled.become_(Door::Open).unwrap_err();
        assert_eq!(refused.to_string(), "'walled' cannot become 'open'; nothing follows it");
        assert!(Door::Walled.is_final());
    }
}
