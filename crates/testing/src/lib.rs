//! For tests only.
//!
//! [`TestApp`] runs a service in the test's own process, on a schema of PostgreSQL that belongs to the test,
//! without a broker: events are read from the outbox and delivered by hand. [`rules`] are what every service
//! has to keep, and [`service_rules!`] turns them into tests.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking"
)]

mod app;
mod broker;
mod database;
mod erasure;
pub mod rules;
mod servers;

pub use app::{Answer, TestApp, eventually};
pub use broker::TestBroker;
pub use database::TestDatabase;
pub use servers::{Servers, servers};

/// Tests that every service has: one line in `tests/`, for example `bhiv_testing::service_rules!(crm::Crm);`.
#[macro_export]
macro_rules! service_rules {
    ($service:ty) => {
        mod rules {
            #[test]
            fn rooms_keep_to_themselves() {
                $crate::rules::rooms(env!("CARGO_MANIFEST_DIR"));
            }

            #[test]
            fn published_contracts_are_fresh() {
                $crate::rules::contracts::<$service>(env!("CARGO_MANIFEST_DIR"));
            }

            #[test]
            fn what_changes_something_can_be_repeated() {
                $crate::rules::repeatable::<$service>();
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn schema_rs_is_that_of_the_migrations() {
                $crate::rules::schema::<$service>(env!("CARGO_MANIFEST_DIR")).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn migrations_go_up_and_down() {
                $crate::rules::migrations::<$service>().await;
            }
        }
    };
}
