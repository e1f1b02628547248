//! Row structs and every query. A row is also what the API shows of it.

pub mod delivery;
pub mod movement;
pub mod order;
pub mod order_item;
pub mod reservation;
pub mod stock;

use crate::domain::delivery::DeliveryStatus;
use crate::domain::ids::{DeliveryId, OrderId, StockId};
use crate::domain::location::Location;
use crate::domain::movement::MovementKind;
use crate::domain::order::OrderStatus;
use crate::domain::tracking_number::TrackingNumber;
use crate::domain::window::Window;

bhiv_types::uuid_columns!(OrderId, DeliveryId, StockId);
bhiv_types::text_columns!(MovementKind, OrderStatus, DeliveryStatus, TrackingNumber);
bhiv_types::json_columns!(Window, Location);
