use std::sync::Arc;

use tokio::sync::Notify;

/// Tells the relay of this process that the outbox has rows. Cloning it shares it.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There are new rows, committed. Many calls before the relay looks are one.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits for new rows; a call of [`Wake::wake`] before this one counts.
    pub(crate) async fn woken(&self) {
        self.0.notified().await;
    }
}
