bhiv_types::ids! {
    /// Id of an order.
    OrderId;
    /// Id of a delivery.
    DeliveryId;
    /// Id of the stock of a product at a location.
    StockId;
    /// Id of a supplier.
    SupplierId;
    /// Id of a product.
    ProductId;
    /// Id of a courier.
    CourierId;
    /// Id of a proof of delivery.
    ProofId;
    /// Id of a plan of routes.
    RoutePlanId;
    /// Id of an order to a supplier.
    PurchaseOrderId;
}
