//! What orders, deliveries and stock are and may do. No I/O.

pub mod courier;
pub mod decision;
pub mod delivery;
pub mod ids;
pub mod location;
pub mod movement;
pub mod order;
pub mod plan;
pub mod product;
pub mod purchase_order;
pub mod routing;
pub mod stock;
pub mod supplier;
pub mod timezone;
pub mod tracking;
pub mod tracking_number;
pub mod window;
