//! Proof that nothing is lost or done twice: [`lab`] is a producer and a consumer made of the crates that the
//! real services are made of, as processes; [`cases`] break them and everything around them, one fault at a
//! time; [`check`] compares what was committed with what came of it.

pub mod arena;
pub mod cases;
pub mod check;
pub mod control;
pub mod lab;
pub mod load;
pub mod node;
pub mod run;
pub mod whole;

/// Why a case failed, or could not be run: in words.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What a step of a case answers.
pub type Result<T = ()> = std::result::Result<T, Fault>;
