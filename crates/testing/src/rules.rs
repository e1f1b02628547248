//! What every service has to keep.

mod print_schema;

pub use print_schema::print as print_schema;

use std::fs;
use std::path::{Path, PathBuf};

use bhiv_service::Service;
use serde_json::{Value, json};

use crate::TestDatabase;
use crate::servers::workspace;

/// What each room may not mention. Data flows one way: nothing calls upward or sideways.
const ROOMS: [(&str, &[&str]); 6] = [
    (
        "domain",
        &[
            "actix_web",
            "async fn",
            "bhiv_db",
            "bhiv_outbox",
            "bhiv_web::",
            "diesel",
            "lapin",
            "reqwest",
            "tokio",
        ],
    ),
    (
        "store",
        &[
            "actix_web",
            "bhiv_outbox",
            "bhiv_web::",
            "crate::commands",
            "crate::consumers",
            "crate::http",
            "lapin",
            "reqwest",
        ],
    ),
    ("commands", &["actix_web", "bhiv_web::", "crate::consumers", "crate::http", "lapin", "reqwest", "Pool"]),
    ("http", &["crate::consumers", "crate::jobs", "diesel", "lapin"]),
    ("consumers", &["actix_web", "bhiv_web::", "crate::http", "crate::jobs", "diesel", "lapin", "reqwest"]),
    ("jobs", &["actix_web", "crate::consumers", "crate::http", "diesel", "lapin"]),
];

/// No room mentions what it may not.
/// Panics when one does.
pub fn rooms(manifest_dir: &str) {
    let src = Path::new(manifest_dir).join("src");
    let mut faults = Vec::new();
    for (room, forbidden) in ROOMS {
        let mut files = rust_files(&src.join(room));
        files.push(src.join(room).with_extension("rs"));
        for file in files {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for (number, line) in code.enumerate() {
                for word in forbidden.iter().filter(|word| line.contains(**word)) {
                    faults.push(format!("{} ({number}): {room} may not use {word}", file.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { rust_files(&path) } else { vec![path] }
        })
        .collect()
}

/// The API and the topology that the service publishes in `proto-docs/` are those of its code.
/// Panics when they are not; `UPDATE=1` writes them anew instead.
pub fn contracts<S: Service>(_: &str) {
    let docs = workspace().join("proto-docs");
    let name = S::INFO.name;
    let openapi = serde_json::to_value(S::api().document()).unwrap();
    fresh_json(&docs.join(format!("openapi/{name}.json")), openapi);
    let topology = serde_json::to_value(S::topology()).unwrap();
    fresh_json(&docs.join(format!("topology/{name}.json")), topology);
    let codes: Vec<_> = S::CODES
        .iter()
        .map(|code| json!({"code": code.code, "status": code.status, "title": code.title}))
        .collect();
    let codes = json!({"service": name, "codes": codes});
    fresh_json(&docs.join(format!("problems/{name}.json")), codes);
    let machines = S::api().machines().iter().fold(String::new(), |text, machine| {
        format!("{text}\n## {}\n\n```mermaid\n{}```\n", machine.name, machine.diagram())
    });
    if !machines.is_empty() {
        let text = format!("# State machines of {name}\n\nWritten from the tables in `domain/`.\n{machines}");
        fresh(&docs.join(format!("states/{name}.md")), &text);
    }
}

/// Whatever changes something can be repeated with a key.
/// Panics when an operation does not say so.
pub fn repeatable<S: Service>() {
    let document = serde_json::to_value(S::api().document()).unwrap();
    let mut seen = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in ["post", "put", "patch", "delete"] {
            let Some(operation) = operations.get(method) else { continue };
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let has_key = parameters.into_iter().any(|parameter| parameter["name"] == "Idempotency-Key");
            assert!(has_key, "{method} {path} takes no Idempotency-Key");
            seen += 1;
        }
    }
    assert!(seen > 0, "{} changes nothing", S::INFO.name);
}

/// The file has this document, its keys sorted: whether serde_json sorts them by itself depends on which crates
/// are built together, as any of them may switch on its `preserve_order`.
/// Panics when it has not; `UPDATE=1` writes it instead.
pub fn fresh_json(file: &Path, mut document: Value) {
    document.sort_all_objects();
    fresh(file, &format!("{document:#}\n"));
}

/// The file has this text.
/// Panics when it has not; `UPDATE=1` writes it instead.
pub fn fresh(file: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "tests have no config.rs")]
    let update = std::env::var("UPDATE").is_ok();
    if update {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let found = fs::read_to_string(file).unwrap_or_default();
    assert!(
        found == text,
        "{} is out of date: run the test again with UPDATE=1 and look at the difference",
        file.display()
    );
}

/// `src/schema.rs` is what the migrations make.
/// Panics when it is not; `UPDATE=1` writes it anew instead.
pub async fn schema<S: Service>(manifest_dir: &str) {
    let database = TestDatabase::migrated(S::MIGRATIONS).await;
    let text = print_schema::print(&mut database.connect().await).await;
    fresh(&Path::new(manifest_dir).join("src/schema.rs"), &text);
}

/// Every migration can be undone and done again.
/// Panics when one cannot.
pub async fn migrations<S: Service>() {
    let database = TestDatabase::empty().await;
    let url = database.url.expose();
    let applied = bhiv_db::migrate(url, S::MIGRATIONS).await.unwrap();
    assert!(!applied.is_empty());
    let before = print_schema::print(&mut database.connect().await).await;
    bhiv_db::revert_all(url, S::MIGRATIONS).await.unwrap();
    let left = print_schema::tables(&mut database.connect().await).await;
    assert!(left.is_empty(), "down.sql leaves {left:?} behind");
    assert_eq!(bhiv_db::migrate(url, S::MIGRATIONS).await.unwrap(), applied);
    assert_eq!(print_schema::print(&mut database.connect().await).await, before);
}
