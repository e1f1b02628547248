//! What each refusal of a command is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::add_proof::AddProofError;
use crate::commands::adjust_stock::AdjustStockError;
use crate::commands::apply_plan::ApplyPlanError;
use crate::commands::cancel_plan::CancelPlanError;
use crate::commands::create_delivery::CreateDeliveryError;
use crate::commands::create_order::CreateOrderError;
use crate::commands::create_product::CreateProductError;
use crate::commands::create_stock::CreateStockError;
use crate::commands::move_delivery::MoveDeliveryError;
use crate::commands::move_order::MoveOrderError;
use crate::commands::move_purchase::MovePurchaseError;
use crate::commands::note_tracking::NoteScanError;
use crate::commands::patch_courier::PatchCourierError;
use crate::commands::patch_delivery::PatchDeliveryError;
use crate::commands::patch_product::PatchProductError;
use crate::commands::patch_supplier::PatchSupplierError;
use crate::commands::plan_routes::PlanRoutesError;
use crate::commands::purchase::PurchaseError;
use crate::commands::receive_purchase::ReceivePurchaseError;
use crate::commands::return_order::ReturnOrderError;
use crate::commands::ship_order::ShipOrderError;
use crate::commands::transfer_stock::TransferStockError;

codes! {
    TOTAL_MISMATCH = "total_mismatch", 422, "The total is not the sum of the items";
    DATE_IN_THE_PAST = "date_in_the_past", 422, "The date has passed";
    ORDER_NOT_DELIVERABLE = "order_not_deliverable", 409, "An order with this status is not delivered";
    STOCK_EXISTS = "stock_exists", 409, "The product is kept at this location already";
    INSUFFICIENT_STOCK = "insufficient_stock", 409, "There is not that much to take";
    SAME_LOCATION = "same_location", 409, "It is there already";
    ORDER_NOT_SHIPPABLE = "order_not_shippable", 409, "An order with this status does not leave";
    ORDER_NOT_RETURNABLE = "order_not_returnable", 409, "An order with this status does not come back";
    SKU_TAKEN = "sku_taken", 409, "Another product is called so";
    ON_ORDER = "on_order", 409, "The product is on order for this location already";
    BY_RECEIPT = "by_receipt", 409, "What has come is said by a receipt";
    TOO_MANY = "too_many", 409, "There are not that many of the line";
    DELIVERY_ENDED = "delivery_ended", 409, "A delivery that is over stays as it is";
    NOT_UNDER_WAY = "not_under_way", 409, "The delivery has not left yet";
    ENOUGH_PROOFS = "enough_proofs", 409, "The delivery has as many proofs as it may have";
    IN_THE_FUTURE = "in_the_future", 422, "That has not happened yet";
    NO_COURIERS = "no_couriers", 409, "There is nobody who could bring anything";
    TOO_MANY_DELIVERIES = "too_many_deliveries", 409, "There are more deliveries than one plan takes";
    NOTHING_TO_MOVE = "nothing_to_move", 409, "Nothing of the order can leave or come back";
}

impl From<CreateOrderError> for Problem {
    fn from(error: CreateOrderError) -> Self {
        match error {
            CreateOrderError::TooMuch => Self::invalid(Vec::new()).at("/items", error.to_string()),
            CreateOrderError::TotalMismatch { expected } => Self::new(TOTAL_MISMATCH, error.to_string())
                .at("/total", "must be the sum of quantity times price")
                .with("expected", expected.get().to_string()),
            CreateOrderError::Insufficient(short) => {
                let lines = serde_json::to_value(&short).unwrap_or_default();
                Self::new(INSUFFICIENT_STOCK, CreateOrderError::Insufficient(short).to_string())
                    .with("lines", lines)
                    .with("accepted", "no more than is available, or \"backorder\": true")
            }
        }
    }
}

impl From<MoveOrderError> for Problem {
    fn from(error: MoveOrderError) -> Self {
        match error {
            MoveOrderError::NotFound(id) => Self::not_found(format!("order/{id}")),
            MoveOrderError::Status(refusal) => refusal.into(),
            MoveOrderError::Nothing => Self::new(NOTHING_TO_MOVE, error.to_string()),
        }
    }
}

impl From<ShipOrderError> for Problem {
    fn from(error: ShipOrderError) -> Self {
        let says = error.to_string();
        match error {
            ShipOrderError::NotFound(id) => Self::not_found(format!("order/{id}")),
            ShipOrderError::NotShippable(status) => {
                Self::new(ORDER_NOT_SHIPPABLE, says).with("order_status", status.to_string())
            }
            ShipOrderError::TooMany { line, shippable } => {
                Self::new(TOO_MANY, says).with("line", line).with("accepted", shippable)
            }
            ShipOrderError::Nothing => Self::new(NOTHING_TO_MOVE, says),
        }
    }
}

impl From<ReturnOrderError> for Problem {
    fn from(error: ReturnOrderError) -> Self {
        let says = error.to_string();
        match error {
            ReturnOrderError::NotFound(id) => Self::not_found(format!("order/{id}")),
            ReturnOrderError::NotReturnable(status) => {
                Self::new(ORDER_NOT_RETURNABLE, says).with("order_status", status.to_string())
            }
            ReturnOrderError::TooMany { line, returnable } => {
                Self::new(TOO_MANY, says).with("line", line).with("accepted", returnable)
            }
            ReturnOrderError::Nothing => Self::new(NOTHING_TO_MOVE, says),
        }
    }
}

impl From<TransferStockError> for Problem {
    fn from(error: TransferStockError) -> Self {
        let says = error.to_string();
        match error {
            TransferStockError::NotFound(id) => Self::not_found(format!("stock/{id}")),
            TransferStockError::SameLocation => Self::new(SAME_LOCATION, says),
            TransferStockError::Insufficient { available } => {
                Self::new(INSUFFICIENT_STOCK, says).with("available", available)
            }
        }
    }
}

impl From<CreateProductError> for Problem {
    fn from(error: CreateProductError) -> Self {
        match error {
            CreateProductError::SkuTaken => Self::new(SKU_TAKEN, error.to_string()),
            CreateProductError::NoSupplier(id) => {
                Self::unknown_reference("/supplier_id", format!("supplier/{id}"))
            }
        }
    }
}

impl From<PatchProductError> for Problem {
    fn from(error: PatchProductError) -> Self {
        match error {
            PatchProductError::NotFound(id) => Self::not_found(format!("product/{id}")),
            PatchProductError::NoSupplier(id) => {
                Self::unknown_reference("/supplier_id", format!("supplier/{id}"))
            }
        }
    }
}

impl From<PatchSupplierError> for Problem {
    fn from(error: PatchSupplierError) -> Self {
        match error {
            PatchSupplierError::NotFound(id) => Self::not_found(format!("supplier/{id}")),
        }
    }
}

impl From<PurchaseError> for Problem {
    fn from(error: PurchaseError) -> Self {
        match error {
            PurchaseError::NoSupplier(id) => {
                Self::unknown_reference("/supplier_id", format!("supplier/{id}"))
            }
            PurchaseError::OnOrder => Self::new(ON_ORDER, error.to_string()),
        }
    }
}

impl From<MovePurchaseError> for Problem {
    fn from(error: MovePurchaseError) -> Self {
        let says = error.to_string();
        match error {
            MovePurchaseError::NotFound(id) => Self::not_found(format!("purchase_order/{id}")),
            MovePurchaseError::Status(refusal) => refusal.into(),
            MovePurchaseError::ByReceipt => {
                Self::new(BY_RECEIPT, says).with("use", "POST /logistics/purchase-orders/{id}/receive")
            }
        }
    }
}

impl From<ReceivePurchaseError> for Problem {
    fn from(error: ReceivePurchaseError) -> Self {
        let says = error.to_string();
        match error {
            ReceivePurchaseError::NotFound(id) => Self::not_found(format!("purchase_order/{id}")),
            ReceivePurchaseError::Status(refusal) => refusal.into(),
            ReceivePurchaseError::TooMany(open) => Self::new(TOO_MANY, says).with("accepted", open),
        }
    }
}

impl From<CreateDeliveryError> for Problem {
    fn from(error: CreateDeliveryError) -> Self {
        match error {
            CreateDeliveryError::DateInThePast { .. } => Self::new(DATE_IN_THE_PAST, error.to_string())
                .at("/delivery_date", "must not be before today"),
            CreateDeliveryError::NoOrder(id) => Self::unknown_reference("/order_id", format!("order/{id}")),
            CreateDeliveryError::NotDeliverable(status) => {
                Self::new(ORDER_NOT_DELIVERABLE, error.to_string()).with("order_status", status.to_string())
            }
        }
    }
}

impl From<MoveDeliveryError> for Problem {
    fn from(error: MoveDeliveryError) -> Self {
        let detail = error.to_string();
        match error {
            MoveDeliveryError::NotFound(id) => Self::not_found(format!("delivery/{id}")),
            MoveDeliveryError::Status(refusal) => refusal.into(),
            // What is allowed is said of the order, which the request does not name.
            MoveDeliveryError::Order { id, refusal } => Self::new(codes::ILLEGAL_TRANSITION, detail)
                .with("entity", format!("order/{id}"))
                .with("allowed", refusal.allowed),
        }
    }
}

impl From<CreateStockError> for Problem {
    fn from(error: CreateStockError) -> Self {
        match error {
            CreateStockError::Exists => Self::new(STOCK_EXISTS, error.to_string()),
        }
    }
}

impl From<AdjustStockError> for Problem {
    fn from(error: AdjustStockError) -> Self {
        match error {
            AdjustStockError::NotFound(id) => Self::not_found(format!("stock/{id}")),
            AdjustStockError::Insufficient { available } => {
                Self::new(INSUFFICIENT_STOCK, error.to_string()).with("available", available)
            }
            AdjustStockError::TooMuch => Self::invalid(Vec::new()).at("/adjust", error.to_string()),
        }
    }
}

impl From<PatchDeliveryError> for Problem {
    fn from(error: PatchDeliveryError) -> Self {
        let says = error.to_string();
        match error {
            PatchDeliveryError::NotFound(id) => Self::not_found(format!("delivery/{id}")),
            PatchDeliveryError::Ended(status) => {
                Self::new(DELIVERY_ENDED, says).with("delivery_status", status.to_string())
            }
            PatchDeliveryError::DateInThePast { .. } => {
                Self::new(DATE_IN_THE_PAST, says).at("/delivery_date", "must not be before today")
            }
            PatchDeliveryError::NoCourier(id) => {
                Self::unknown_reference("/courier_id", format!("courier/{id}"))
            }
        }
    }
}

impl From<PatchCourierError> for Problem {
    fn from(error: PatchCourierError) -> Self {
        match error {
            PatchCourierError::NotFound(id) => Self::not_found(format!("courier/{id}")),
        }
    }
}

impl From<PlanRoutesError> for Problem {
    fn from(error: PlanRoutesError) -> Self {
        let says = error.to_string();
        match error {
            PlanRoutesError::DateInThePast { .. } => {
                Self::new(DATE_IN_THE_PAST, says).at("/day", "must not be before today")
            }
            PlanRoutesError::Unknown { at, id } => {
                Self::unknown_reference(&format!("/courier_ids/{at}"), format!("courier/{id}"))
            }
            PlanRoutesError::NoCouriers => {
                Self::new(NO_COURIERS, says).with("use", "POST /logistics/couriers")
            }
            PlanRoutesError::TooMany => {
                Self::new(TOO_MANY_DELIVERIES, says).with("accepted", crate::domain::plan::MOST)
            }
        }
    }
}

impl From<ApplyPlanError> for Problem {
    fn from(error: ApplyPlanError) -> Self {
        match error {
            ApplyPlanError::NotFound(id) => Self::not_found(format!("route_plan/{id}")),
            ApplyPlanError::Status(refusal) => refusal.into(),
        }
    }
}

impl From<CancelPlanError> for Problem {
    fn from(error: CancelPlanError) -> Self {
        match error {
            CancelPlanError::NotFound(id) => Self::not_found(format!("route_plan/{id}")),
            CancelPlanError::Status(refusal) => refusal.into(),
        }
    }
}

impl From<NoteScanError> for Problem {
    fn from(error: NoteScanError) -> Self {
        let says = error.to_string();
        match error {
            NoteScanError::NotFound(id) => Self::not_found(format!("delivery/{id}")),
            NoteScanError::Ended(status) => {
                Self::new(DELIVERY_ENDED, says).with("delivery_status", status.to_string())
            }
            NoteScanError::InTheFuture(_) => {
                Self::new(IN_THE_FUTURE, says).at("/at", "must not be in the future")
            }
        }
    }
}

impl From<AddProofError> for Problem {
    fn from(error: AddProofError) -> Self {
        let says = error.to_string();
        match error {
            AddProofError::NotFound(id) => Self::not_found(format!("delivery/{id}")),
            AddProofError::NotUnderWay => Self::new(NOT_UNDER_WAY, says),
            AddProofError::Enough => Self::new(ENOUGH_PROOFS, says),
        }
    }
}
