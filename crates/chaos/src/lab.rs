//! Two small services. The source turns requests into changes and events; the sink has effects, one per kind of
//! handler, and answers with an event that the source hears.

mod contract;
mod sink;
mod source;

pub use contract::{Act, Changed, Done};
pub use sink::Sink;
pub use source::Source;
