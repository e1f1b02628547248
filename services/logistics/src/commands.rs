//! What logistics can be asked to do. Each command acts inside the transaction that it is given: load,
//! decide, store, record.

pub mod add_proof;
pub mod adjust_stock;
pub mod advance_plan;
pub mod apply_plan;
pub mod cancel_plan;
pub mod create_courier;
pub mod create_delivery;
pub mod create_order;
pub mod create_product;
pub mod create_stock;
pub mod create_supplier;
pub mod decide_order;
pub mod erase_person;
pub mod find_delays;
pub mod move_delivery;
pub mod move_order;
pub mod move_purchase;
pub mod note_plan;
pub mod note_tracking;
pub mod patch_courier;
pub mod patch_delivery;
pub mod patch_product;
pub mod patch_supplier;
pub mod plan_routes;
pub mod purchase;
pub mod receive_purchase;
pub mod return_order;
pub mod ship_order;
pub mod stock_flow;
pub mod transfer_stock;
