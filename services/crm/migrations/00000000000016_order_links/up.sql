-- What an order belongs to. News of an order may come before the order itself: then its entity is not known yet.
CREATE TABLE order_links (
    order_id uuid PRIMARY KEY,
    entity   text
);
