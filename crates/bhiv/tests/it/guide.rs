//! The guide on the page of the API, done line by line.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use crate::stack::Stack;

const GUIDE: &str = include_str!("../../../../services/bhiv-gateway/src/guide.md");

/// Each takes seconds; whoever waits longer waits in vain.
const PATIENCE: Duration = Duration::from_mins(2);

pub fn it_leads_to_a_verified_webhook(stack: &Stack) {
    let folder = tempfile::tempdir().unwrap();
    let operator = stack.environment("operator");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut script = format!(
        "set -euo pipefail\nurl={} email={} password={} port={free}\n",
        operator["BHIV_URL"], operator["ADMIN_EMAIL"], operator["ADMIN_PASSWORD"]
    );
    let mut is_first = true;
    for block in GUIDE.split("```").skip(1).step_by(2) {
        let (language, code) = block.split_once('\n').unwrap();
        match language {
            // Where and who: that of this stack.
            "sh" if is_first => is_first = false,
            "sh" => script.push_str(code),
            other => {
                assert_eq!(other, "python", "nobody runs it");
                fs::write(folder.path().join("receiver.py"), code).unwrap();
            }
        }
    }
    let output = Command::new("timeout")
        .args([&PATIENCE.as_secs().to_string(), "bash", "-c", &script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("event: lead_created"), "the stream: {said}");
    assert!(said.contains("genuine {"), "the webhook: {said}");
    assert!(!said.contains("forged"), "{said}");
}
