//! What tasks, feedback and workflows are and may do. No I/O: the languages of conditions and templates are
//! pure functions of an event.

pub mod action;
pub mod approval;
pub mod assignment;
pub mod backtest;
pub mod condition;
pub mod facts;
pub mod feedback;
pub mod ids;
pub mod performance;
pub mod recurring;
pub mod review;
pub mod run;
pub mod service_level;
mod stack;
pub mod step;
pub mod task;
pub mod template;
pub mod trigger;
pub mod workflow;
