//! How large the body of a request may be, and which bodies take their time.

use super::path::{is_simple, matching, segments};

/// Where nothing else is said, in bytes. The module may take less.
const ORDINARY: u64 = 1024 * 1024;

/// Routes that take more, and how much: files that somebody imports or uploads.
const LARGE: [(&str, &str, u64); 2] =
    [("POST", "/crm/import", 64 * 1024 * 1024), ("POST", "/logistics/delivery/{id}/proofs", 2 * 1024 * 1024)];

/// Files that may be as long as there are records.
const EXPORTS: [&str; 3] = ["/crm/export", "/logs/export", "/audit/export"];

/// Up to this size, in bytes, a body is read before its module is asked: so much a module's handlers take.
pub const SMALL: u64 = 100 * 1024;

/// The largest body of `method` on `path`, in bytes.
pub fn limit(method: &str, path: &str) -> u64 {
    if LARGE.iter().all(|(of, ..)| *of != method) {
        return ORDINARY;
    }
    let segments = segments(path.trim_end_matches('/'));
    let large = LARGE.iter().find(|(of, on, _)| *of == method && matching(on, &segments).is_some());
    large.map_or(ORDINARY, |(.., limit)| *limit)
}

/// Whether the body of `method` on `path` may take longer to arrive than a module has to answer.
pub fn is_upload(method: &str, path: &str) -> bool {
    limit(method, path) > ORDINARY
}

/// Whether the answer to `method` on `path` is a file that may be as long as there are records.
pub fn is_export(method: &str, path: &str) -> bool {
    if method != "GET" {
        return false;
    }
    let path = path.trim_end_matches('/');
    if path.bytes().all(is_simple) {
        return EXPORTS.contains(&path);
    }
    let segments = segments(path);
    EXPORTS.iter().any(|export| matching(export, &segments).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_may_be_larger() {
        assert_eq!(limit("POST", "/crm/leads"), 1_048_576);
        assert_eq!(limit("POST", "/crm/imports"), 1_048_576);
        assert_eq!(limit("PUT", "/crm/import"), 1_048_576);
        assert_eq!(limit("POST", "/crm/import"), 67_108_864);
        assert_eq!(limit("POST", "/logistics/delivery/7/proofs"), 2_097_152);
        assert_eq!(limit("POST", "/logistics/delivery/7/events"), 1_048_576);
        assert!(is_upload("POST", "/crm/import/") && !is_upload("POST", "/crm/leads"));
        assert!(
            is_export("GET", "/crm/export/")
                && is_export("GET", "/logs/export")
                && !is_export("GET", "/crm/leads")
        );
    }
}
