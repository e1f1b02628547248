use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SERVICES: [&str; 7] = ["crm", "logistics", "task", "compliance", "rl", "logging", "bhiv-gateway"];

/// Isolation is a feature: a service knows the contracts and never another service.
#[test]
fn no_service_depends_on_a_service() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |package: &Value| package["name"].as_str().unwrap().to_owned();
    for service in SERVICES {
        assert!(packages.iter().any(|package| name(package) == service), "{service} is not in the workspace");
    }
    for package in packages {
        for dependency in package["dependencies"].as_array().unwrap() {
            let dependency = name(dependency);
            assert!(!SERVICES.contains(&dependency.as_str()), "{} depends on {dependency}", name(package));
        }
    }
}
