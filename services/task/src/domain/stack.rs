//! Room for the readers of conditions and templates, which call themselves for every bracket and operator: a
//! text that is within its limits can take several megabytes, more than a thread of the runtime has, and a
//! thread without room ends the whole process.

use std::thread;

/// In bytes. What is not used costs nothing.
const ROOM: usize = 64 * 1024 * 1024;

/// Does `work` where it has room, and answers what it does.
///
/// # Errors
/// When it panics, or the system has no more threads.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(ROOM).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| format!("there is no room for it: {error}"))?;
        thread.join().map_err(|_| "its language has no answer to it".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(with_room(|| 7), Ok(7));
        assert!(with_room(|| panic!("a test panics")).is_err());
    }
}
