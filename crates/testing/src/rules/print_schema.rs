//! What diesel's own `print-schema` does, without libpq.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bhiv_db::Conn;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl as _;

/// These have their schema in crates/outbox.
const MESSAGING: [&str; 9] = [
    "erased",
    "history",
    "idempotency_keys",
    "inbox",
    "inbox_parked",
    "outbox",
    "outbox_parked",
    "stories",
    "subject_seq",
];

/// Words of Rust that are names of columns too.
const KEYWORDS: [&str; 5] = ["type", "ref", "match", "move", "use"];

/// A line that is longer is broken, as `cargo fmt` does.
const LINE: usize = 110;

#[derive(diesel::QueryableByName)]
#[expect(clippy::struct_field_names, reason = "named as in the catalogue")]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    #[diesel(sql_type = Bool)]
    in_key: bool,
}

const COLUMNS: &str = "
    SELECT c.relname::text AS table_name, a.attname::text AS column_name, t.typname::text AS type_name,
           NOT a.attnotnull AS nullable, coalesce(a.attnum = ANY(k.conkey), false) AS in_key
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND a.attgenerated = ''
      -- Diesel has no such type: what searches by it names it in SQL.
      AND t.typname <> 'tsvector'
    ORDER BY c.relname, a.attnum";

/// The tables of the current schema, without diesel's own.
pub(super) async fn tables(conn: &mut Conn) -> Vec<String> {
    let mut tables: Vec<String> = columns(conn).await.into_iter().map(|column| column.table_name).collect();
    tables.dedup();
    tables
}

async fn columns(conn: &mut Conn) -> Vec<Column> {
    let mut columns: Vec<Column> = diesel::sql_query(COLUMNS).load(conn).await.unwrap();
    columns.retain(|column| column.table_name != "__diesel_schema_migrations");
    columns
}

/// `schema.rs` of the current schema.
pub async fn print(conn: &mut Conn) -> String {
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for column in columns(conn).await {
        if !MESSAGING.contains(&column.table_name.as_str()) {
            tables.entry(column.table_name.clone()).or_default().push(column);
        }
    }
    let mut text = "//! The tables of `migrations/`. A test writes this file and compares it.\n".to_owned();
    for (name, columns) in &tables {
        let key: Vec<_> =
            columns.iter().filter(|column| column.in_key).map(|column| column.column_name.as_str()).collect();
        write!(text, "\ndiesel::table! {{\n    {name} ({}) {{\n", key.join(", ")).unwrap();
        for column in columns {
            let type_ = diesel_type(&column.type_name);
            let type_ = if column.nullable { format!("Nullable<{type_}>") } else { type_ };
            let name = &column.column_name;
            if KEYWORDS.contains(&name.as_str()) {
                writeln!(text, "        #[sql_name = \"{name}\"]\n        {name}_ -> {type_},").unwrap();
            } else {
                writeln!(text, "        {name} -> {type_},").unwrap();
            }
        }
        text.push_str("    }\n}\n");
    }
    if tables.len() > 1 {
        let names: Vec<_> = tables.keys().map(String::as_str).collect();
        let line = format!("diesel::allow_tables_to_appear_in_same_query!({});", names.join(", "));
        if line.len() <= LINE {
            write!(text, "\n{line}\n").unwrap();
        } else {
            let names = names.join(",\n    ");
            write!(text, "\ndiesel::allow_tables_to_appear_in_same_query!(\n    {names}\n);\n").unwrap();
        }
    }
    text
}

/// Arrays have no nulls in them here.
fn diesel_type(type_name: &str) -> String {
    if let Some(element) = type_name.strip_prefix('_') {
        return format!("Array<{}>", diesel_type(element));
    }
    let mut letters = type_name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
