//! Row structs and every query. A row is also what the API shows of it.

pub mod courier;
pub mod delivery;
pub mod erasure;
pub mod movement;
pub mod order;
pub mod order_item;
pub mod product;
pub mod proof;
pub mod purchase_order;
pub mod reservation;
pub mod route_plan;
pub mod stock;
pub mod supplier;
pub mod tracking_event;

use crate::domain::delivery::DeliveryStatus;
use crate::domain::ids::{
    CourierId, DeliveryId, OrderId, ProductId, ProofId, PurchaseOrderId, RoutePlanId, StockId, SupplierId,
};
use crate::domain::location::Location;
use crate::domain::movement::MovementKind;
use crate::domain::order::OrderStatus;
use crate::domain::plan::{NewPlan, PlanStatus, Routes};
use crate::domain::purchase_order::PurchaseStatus;
use crate::domain::timezone::Timezone;
use crate::domain::tracking::{ProofKind, TrackingKind};
use crate::domain::tracking_number::TrackingNumber;
use crate::domain::window::Window;

bhiv_types::uuid_columns!(
    OrderId,
    DeliveryId,
    StockId,
    SupplierId,
    ProductId,
    PurchaseOrderId,
    CourierId,
    RoutePlanId,
    ProofId
);
bhiv_types::text_columns!(
    TrackingKind,
    ProofKind,
    PlanStatus,
    PurchaseStatus,
    MovementKind,
    OrderStatus,
    DeliveryStatus,
    TrackingNumber,
    Timezone
);
bhiv_types::json_columns!(Window, Location, NewPlan, Routes);
