use diesel::result::{DatabaseErrorKind as Kind, Error as DieselError};

/// What went wrong in the database, by what a caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be reached, or is going away: try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Another transaction was in the way: run this one again.
    #[error("the transaction met another one: {0}")]
    Conflict(String),
    /// A unique, foreign-key, check or not-null constraint refused the row.
    #[error("constraint {constraint} refused the row")]
    Constraint {
        /// Name of the constraint; of the column where a not-null constraint has none.
        constraint: String,
        /// What the database said.
        #[source]
        source: DieselError,
    },
    /// A mistake of ours.
    #[error("the query failed")]
    Query(#[source] DieselError),
}

impl Error {
    /// Whether the same transaction may succeed when it is run again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Conflict(_))
    }

    /// Whether the row was refused by the constraint of that name.
    pub fn is_constraint(&self, name: &str) -> bool {
        matches!(self, Self::Constraint { constraint, .. } if constraint == name)
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = &error else {
            return match error {
                DieselError::BrokenTransactionManager => Self::Unavailable(error.to_string()),
                other => Self::Query(other),
            };
        };
        let message = information.message();
        match kind {
            Kind::UniqueViolation
            | Kind::ForeignKeyViolation
            | Kind::CheckViolation
            | Kind::ExclusionViolation
            | Kind::RestrictViolation
            | Kind::NotNullViolation => Self::Constraint {
                constraint: information
                    .constraint_name()
                    .or(information.column_name())
                    .unwrap_or_default()
                    .to_owned(),
                source: error,
            },
            // A standby that has to go on (40001 as well): asked again it would say so again.
            Kind::SerializationFailure if message.contains("due to conflict with recovery") => {
                Self::Unavailable(message.to_owned())
            }
            Kind::SerializationFailure => Self::Conflict(message.to_owned()),
            // A primary that became a replica: this connection will never write again.
            Kind::ReadOnlyTransaction | Kind::UnableToSendCommand | Kind::ClosedConnection => {
                Self::Unavailable(message.to_owned())
            }
            _ => match known_message(message) {
                Some(known) => known,
                None => Self::Query(error),
            },
        }
    }
}

/// Diesel keeps the message of these and drops their SQLSTATE, which is named beside each.
fn known_message(message: &str) -> Option<Error> {
    const CONFLICTS: [&str; 2] = [
        "deadlock detected",                       // 40P01
        "canceling statement due to lock timeout", // 55P03
    ];
    const UNAVAILABLE: [&str; 6] = [
        "terminating connection",     // 57P01
        "the database system is",     // 57P03: starting up, shutting down, in recovery mode
        "sorry, too many clients",    // 53300
        "remaining connection slots", // 53300
        "could not extend file",      // 53100
        "No space left on device",    // 53100
    ];
    let has = |list: &[&str]| list.iter().any(|text| message.contains(text));
    if has(&CONFLICTS) {
        Some(Error::Conflict(message.to_owned()))
    } else if has(&UNAVAILABLE) {
        Some(Error::Unavailable(message.to_owned()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(kind: Kind, message: &str) -> Error {
        DieselError::DatabaseError(kind, Box::new(message.to_owned())).into()
    }

    #[test]
    fn what_may_succeed_again_is_told_apart() {
        assert!(database(Kind::SerializationFailure, "could not serialize access").is_transient());
        assert!(database(Kind::Unknown, "deadlock detected").is_transient());
        assert!(database(Kind::Unknown, "the database system is starting up").is_transient());
        assert!(database(Kind::ReadOnlyTransaction, "cannot execute INSERT").is_transient());
        let standby = "canceling statement due to conflict with recovery";
        assert!(matches!(database(Kind::SerializationFailure, standby), Error::Unavailable(_)));
        assert!(!database(Kind::Unknown, "relation \"leads\" does not exist").is_transient());
        assert!(!database(Kind::UniqueViolation, "duplicate key").is_transient());
    }
}
