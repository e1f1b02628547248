//! PostgreSQL for one service: its pool, the kinds of error that callers tell apart, its migrations, and
//! the schema and role that are its own.

mod error;
mod json_text;
mod keyset;
mod lanes;
mod metrics;
mod migrations;
mod pool;
mod replica;
mod schema;
mod search;
mod statement;

pub use error::Error;
pub use json_text::JsonText;
pub use migrations::{Migrations, migrate, revert_all};
pub use pool::{Pool, PooledConnection};
pub use replica::Replica;
pub use schema::prepare;
pub use search::{FEW, prefix_query};

pub use diesel::result::Error as DieselError;

/// A connection to PostgreSQL.
pub type Conn = diesel_async::AsyncPgConnection;

/// A pattern for `LIKE` that finds `text` anywhere, taken literally.
pub fn contains(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pattern_takes_its_text_literally() {
        assert_eq!(super::contains("50%_a\\b"), "%50\\%\\_a\\\\b%");
    }
}
