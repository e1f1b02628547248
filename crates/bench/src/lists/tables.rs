//! Which tables are filled, and with what.

/// A table, the request that makes the record that is copied, and how many copies there are.
#[derive(Debug)]
pub struct Table {
    pub service: &'static str,
    pub name: &'static str,
    pub count: u32,
    pub path: &'static str,
    /// `{leads}` is the id of the record made for that table.
    pub body: &'static str,
    /// Tables with rows of the record, and the column that names it.
    pub parts: &'static [(&'static str, &'static str)],
    /// Values of columns in which this table is unlike others.
    pub own: &'static [(&'static str, &'static str)],
}

const LEAD_STATES: &str = "(ARRAY['new', 'contacted', 'qualified', 'lost'])[1 + n % 4]";
const STAGES: &str = "(ARRAY['qualification', 'proposal', 'negotiation', 'won', 'lost'])[1 + n % 5]";
const ORDER_STATES: &str =
    "(ARRAY['pending', 'approved', 'on_hold', 'picking', 'dispatched', 'delivered', 'cancelled'])[1 + n % 7]";
const DELIVERY_STATES: &str =
    "(ARRAY['scheduled', 'in_transit', 'delayed', 'delivered', 'failed'])[1 + n % 5]";
const TASK_STATES: &str =
    "(ARRAY['pending', 'in_progress', 'blocked', 'completed', 'escalated', 'cancelled'])[1 + n % 6]";

const NAME: &str = "(ARRAY['Asha', 'Ravi', 'Meera', 'Bala', 'Chitra', 'Dev', 'Esha', 'Farid', 'Gita', 'Hari'])[1 + n % 10]
    || ' ' || (ARRAY['Verma', 'Rao', 'Singh', 'Das', 'Iyer', 'Khan', 'Nair', 'Patel', 'Sen', 'Bose', 'Joshi'])[1 + n % 11]
    || ' ' || n";

/// In the order in which they refer to each other.
pub const TABLES: &[Table] = &[
    Table {
        service: "crm",
        name: "accounts",
        count: 20_000,
        path: "/crm/accounts",
        body: r#"{"name": "Verma Textiles", "type": "customer"}"#,
        parts: &[],
        own: &[
            ("customer_id", "'customer-' || n"),
            ("territory", "'territory-' || n % 50"),
            ("type", "(ARRAY['prospect', 'customer', 'partner', 'supplier'])[1 + n % 4]"),
            ("status", "(ARRAY['active', 'inactive'])[1 + n % 2]"),
            ("parent_id", "CASE WHEN n % 10 = 0 THEN public.bench_id('accounts', 1 + n % 100) END"),
        ],
    },
    Table {
        service: "crm",
        name: "contacts",
        count: 100_000,
        path: "/crm/contacts",
        body: r#"{"name": "Asha Verma", "email": "asha@example.com", "account_id": "{accounts}"}"#,
        parts: &[],
        own: &[("account_id", "public.bench_id('accounts', 1 + n % 20000)"), ("lead_id", "NULL")],
    },
    Table {
        service: "crm",
        name: "leads",
        count: 100_000,
        path: "/crm/leads",
        body: r#"{"name": "Asha Verma", "email": "asha@example.com", "company": "Verma Textiles", "source": "fair"}"#,
        parts: &[],
        own: &[("status", LEAD_STATES), ("source", "'source-' || n % 40")],
    },
    Table {
        service: "crm",
        name: "opportunities",
        count: 100_000,
        path: "/crm/opportunities",
        body: r#"{"lead_id": "{leads}", "value": "1000"}"#,
        parts: &[],
        own: &[
            ("stage", STAGES),
            ("account_id", "public.bench_id('accounts', 1 + n % 20000)"),
            ("expected_close_date", "date '2026-06-01' + (n % 600)::int"),
        ],
    },
    Table {
        service: "crm",
        name: "activities",
        count: 200_000,
        path: "/crm/activities",
        body: r#"{"entity": "lead/{leads}", "kind": "call", "summary": "Called Asha Verma about racks"}"#,
        parts: &[],
        own: &[
            ("kind", "(ARRAY['note', 'call', 'email', 'meeting', 'order', 'task'])[1 + n % 6]"),
            ("author", "'user-' || n % 200"),
            ("due_at", "CASE WHEN n % 20 = 0 THEN timestamptz '2026-11-01Z' + n * interval '1 minute' END"),
        ],
    },
    Table {
        service: "logistics",
        name: "suppliers",
        count: 2_000,
        path: "/logistics/suppliers",
        body: r#"{"name": "Steel and Sons", "email": "sales@example.com"}"#,
        parts: &[],
        own: &[("active", "n % 10 > 0")],
    },
    Table {
        service: "logistics",
        name: "products",
        count: 20_000,
        path: "/logistics/products",
        body: r#"{"sku": "RACK", "name": "Rack", "supplier_id": "{suppliers}"}"#,
        parts: &[],
        own: &[
            ("sku", "'SKU-' || n"),
            ("active", "n % 10 > 0"),
            ("supplier_id", "public.bench_id('suppliers', 1 + n % 2000)"),
        ],
    },
    Table {
        service: "logistics",
        name: "stock",
        count: 20_000,
        path: "/logistics/inventory",
        body: r#"{"product_id": "RACK", "location": "PUNE", "on_hand": 100, "reorder_level": 5}"#,
        parts: &[("stock_movements", "stock_id")],
        own: &[("product_id", "'SKU-' || n"), ("location", "'WH-' || n % 10"), ("on_hand", "1000 + n % 100")],
    },
    Table {
        service: "logistics",
        name: "orders",
        count: 100_000,
        path: "/logistics/orders",
        body: r#"{"customer_id": "customer-1", "items": [{"sku": "BOLT", "quantity": 2, "price": "10"}]}"#,
        parts: &[("order_items", "order_id")],
        own: &[("status", ORDER_STATES)],
    },
    Table {
        service: "logistics",
        name: "deliveries",
        count: 100_000,
        path: "/logistics/delivery",
        body: r#"{"order_id": "{orders}", "delivery_date": "2030-01-01", "address": "1 Mill Road, Pune"}"#,
        parts: &[],
        own: &[("status", DELIVERY_STATES), ("delivery_date", "date '2026-06-01' + (n % 300)::int")],
    },
    Table {
        service: "task",
        name: "tasks",
        count: 300_000,
        path: "/task/tasks",
        body: r#"{"title": "Call Asha Verma", "priority": "high", "assignee_id": "ravi"}"#,
        parts: &[],
        own: &[
            ("status", TASK_STATES),
            ("priority", "(ARRAY['low', 'normal', 'high', 'urgent'])[1 + n % 4]"),
            ("labels", "ARRAY['label-' || n % 50]"),
            (
                "completed_at",
                "CASE WHEN n % 6 = 3 THEN timestamptz '2026-11-01Z' - n * interval '1 minute' END",
            ),
            ("overdue_at", "timestamptz '2026-11-01Z'"),
        ],
    },
    // Nothing that is not completed is reviewed: it has a task of its own.
    Table {
        service: "task",
        name: "reviews",
        count: 100_000,
        path: "/task/review",
        body: r#"{"task_id": "{completed}", "status": "approved", "dhi_score": 0.9}"#,
        parts: &[],
        own: &[
            ("status", "(ARRAY['approved', 'rejected', 'changes_requested'])[1 + n % 3]"),
            ("task_id", "public.bench_id('tasks', 1 + n % 300000)"),
        ],
    },
    Table {
        service: "task",
        name: "feedback",
        count: 50_000,
        path: "/task/feedback",
        body: r#"{"order_id": "0190aaaa-0000-7000-8000-000000000001", "rating": 4}"#,
        parts: &[],
        own: &[("rating", "1 + n % 5"), ("customer", "'customer-' || n % 5000")],
    },
];

/// The value of a column in the copy `n`, as SQL; `t` is the record that is copied.
pub fn column(table: &Table, part: &str, name: &str) -> String {
    let own = table.own.iter().find(|(column, _)| *column == name && part == table.name);
    if let Some((_, value)) = own {
        return (*value).to_owned();
    }
    let leads = "public.bench_id('leads', 1 + n % 100000)";
    let orders = "public.bench_id('orders', 1 + n % 100000)";
    match name {
        "id" if part != table.name => "gen_random_uuid()".to_owned(),
        "name" | "title" => NAME.to_owned(),
        "summary" => format!("'Called ' || {NAME}"),
        "address" => format!("n || ' Mill Road, near ' || {NAME}"),
        "email" => "'user' || n || '@example.com'".to_owned(),
        // Not by the remainders that names have: nobody's team is told by their name.
        "owner" | "assignee_id" | "reviewer_id" => "'user-' || n / 7 % 200".to_owned(),
        "team" => "'team-' || n / 7 % 20".to_owned(),
        "created_at" | "updated_at" => {
            format!("timestamptz '2026-11-01Z' - ({} - n) * interval '1 minute'", table.count)
        }
        "due_date" => "timestamptz '2026-11-01Z' + (n % 20000 - 10000) * interval '1 minute'".to_owned(),
        "value" | "total" | "budget" => "(n % 10000)::numeric".to_owned(),
        "probability" | "score" => "(n % 100) / 100.0".to_owned(),
        "tracking_number" => "'BHV' || lpad(n::text, 13, '0')".to_owned(),
        "customer_id" => "'customer-' || n % 5000".to_owned(),
        "lead_id" => leads.to_owned(),
        "order_id" => orders.to_owned(),
        "reference" | "entity" => format!("'lead/' || {leads}"),
        name => format!("t.\"{name}\""),
    }
}
