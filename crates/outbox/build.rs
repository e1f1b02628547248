//! The migrations are part of the library.

fn main() {
    for folder in ["migrations", "migrations-erasure", "migrations-history"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
