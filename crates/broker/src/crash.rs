//! Places where a test can have the process end, as if the power failed. They are compiled in with the
//! feature `crash-points` only.

/// The environment variable that names the place, and after a colon how often it is passed before: `relay.sent`
/// ends the process at the first pass, `relay.sent:3` at the fourth.
pub const CRASH_AT: &str = "CRASH_AT";

/// Ends the process if it is told to end here.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicI64, Ordering};

    static PLACE: OnceLock<Option<(String, AtomicI64)>> = OnceLock::new();
    let place = PLACE.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "no setting of a service: it exists in tests only")]
        let text = std::env::var(CRASH_AT).ok()?;
        let (name, passes) = text.split_once(':').unwrap_or((&text, "0"));
        Some((name.to_owned(), AtomicI64::new(passes.parse().unwrap_or(0))))
    });
    if let Some((place, passes)) = place
        && place == name
        && passes.fetch_sub(1, Ordering::SeqCst) == 0
    {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn point(_: &str) {}
