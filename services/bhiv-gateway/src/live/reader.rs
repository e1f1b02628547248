use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bhiv_auth::Caller;
use bhiv_db::Error;
use bhiv_service::Context;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior, Sleep, interval, sleep};

use super::Live;
use super::shown::{Shown, Wanted};
use super::streams::Place;
use crate::sessions::Sessions;
use crate::store::live_event;
use crate::visible::Visible;

/// Events that are read from the table at a time, for one reader.
const PAGE: i64 = 100;

/// What a reader gets next.
#[derive(Clone, Debug)]
pub enum News {
    /// An event.
    Event(Arc<Shown>),
    /// Events may be missing: what came after the reader's place is not kept any more. It goes on at this one.
    Gap {
        /// The lowest place that is kept.
        oldest: i64,
    },
    /// Nothing has happened for a while.
    Quiet,
    /// There is no more.
    Ended(End),
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The reader's token is not valid any more.
    Expired,
    /// The reader's session has ended. It is found out with the next event, or heartbeat.
    LoggedOut,
    /// The reader is too far behind.
    TooSlow,
    /// This replica stops.
    Stopping,
    /// The events cannot be read just now.
    Trouble,
}

impl End {
    /// Its name, in streams and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::LoggedOut => "session_ended",
            Self::TooSlow => "too_slow",
            Self::Stopping => "stopping",
            Self::Trouble => "trouble",
        }
    }
}

/// Where a reader gets its events from.
enum Source {
    /// From the table: it begins at an earlier place, which may be far behind.
    Past,
    /// From the table, because it was slower than the events; not for long.
    Behind,
    /// As they come.
    Present,
}

/// What one stream shows, in order, each event once: those from the table first, then those that come. It works
/// only when it is asked, so an idle stream costs little and a slow one nobody else anything.
pub struct Reader {
    live: Live,
    gateway: Context,
    visible: Visible,
    sessions: Sessions,
    caller: Arc<Caller>,
    wanted: Rc<RefCell<Wanted>>,
    /// The oldest place that is kept, if the reader has to be told.
    gap: Option<i64>,
    /// The place of the last event that was looked at.
    last: i64,
    from: Source,
    read: VecDeque<Shown>,
    coming: Receiver<Arc<Shown>>,
    heartbeat: Interval,
    expiry: Pin<Box<Sleep>>,
    place: Place,
}

/// What a reader depends on.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The events.
    pub live: &'a Live,
    /// Time, and the table.
    pub gateway: &'a Context,
    /// Who sees what.
    pub visible: &'a Visible,
    /// Who has logged out.
    pub sessions: &'a Sessions,
}

impl Reader {
    /// Reads on after the place `after`, or what comes from now on.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn new(
        sources: Sources<'_>,
        caller: Arc<Caller>,
        wanted: Wanted,
        after: Option<i64>,
        place: Place,
    ) -> Result<Self, Error> {
        let Sources { live, gateway, visible, sessions } = sources;
        let (last, gap) = begin(gateway, after).await?;
        let validity = (caller.expires - gateway.clock().now()).to_std().unwrap_or_default();
        let mut heartbeat = interval(live.heartbeat());
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        Ok(Self {
            live: live.clone(),
            gateway: gateway.clone(),
            visible: visible.clone(),
            sessions: sessions.clone(),
            caller,
            wanted: Rc::new(RefCell::new(wanted)),
            gap,
            last,
            from: Source::Past,
            read: VecDeque::new(),
            coming: live.subscribe(),
            heartbeat,
            expiry: Box::pin(sleep(validity)),
            place,
        })
    }

    /// What is asked for, to change it while the stream runs.
    pub fn wanted(&self) -> Rc<RefCell<Wanted>> {
        Rc::clone(&self.wanted)
    }

    /// How often the stream has to show that it is there.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat.period()
    }

    /// Notes why the stream ends, if it is not what [`Reader::next`] said.
    pub fn ends(&mut self, end: End) {
        self.place.ends(end.name());
    }

    /// What comes next.
    pub async fn next(&mut self) -> News {
        let news = self.find().await.unwrap_or_else(News::Ended);
        match &news {
            News::Ended(end) => self.place.ends(end.name()),
            _ => self.heartbeat.reset(),
        }
        news
    }

    async fn find(&mut self) -> Result<News, End> {
        if let Some(oldest) = self.gap.take() {
            return Ok(News::Gap { oldest });
        }
        loop {
            // Also while there is something to show: a reader of a busy stream has to end as well.
            if self.gateway.stopping().is_cancelled() {
                return Err(End::Stopping);
            }
            if self.expiry.is_elapsed() {
                return Err(End::Expired);
            }
            if self.caller.session.as_ref().is_some_and(|session| self.sessions.is_ended(session)) {
                return Err(End::LoggedOut);
            }
            while let Some(shown) = self.read.pop_front() {
                self.last = shown.seq();
                if self.wanted.borrow().shows(&shown, &self.caller, &self.visible) {
                    return Ok(News::Event(Arc::new(shown)));
                }
            }
            if !matches!(self.from, Source::Present) {
                self.read_page().await?;
                continue;
            }
            tokio::select! {
                shown = self.coming.recv() => match shown {
                    Ok(shown) if shown.seq() > self.last => {
                        self.last = shown.seq();
                        if self.wanted.borrow().shows(&shown, &self.caller, &self.visible) {
                            return Ok(News::Event(shown));
                        }
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => self.from = Source::Behind,
                    Err(RecvError::Closed) => return Err(End::Stopping),
                },
                _ = self.heartbeat.tick() => return Ok(News::Quiet),
                () = &mut self.expiry => return Err(End::Expired),
                () = self.gateway.stopping().cancelled() => return Err(End::Stopping),
            }
        }
    }

    async fn read_page(&mut self) -> Result<(), End> {
        if matches!(self.from, Source::Behind) && self.live.is_too_far_behind(self.last) {
            return Err(End::TooSlow);
        }
        // Before the table is read: nothing that happens meanwhile is missed.
        self.coming = self.live.subscribe();
        let mut conn = self.gateway.read().await.map_err(|_| End::Trouble)?;
        let page = live_event::after(&mut conn, self.last, PAGE).await.map_err(|_| End::Trouble)?;
        if i64::try_from(page.len()).is_ok_and(|length| length < PAGE) {
            self.from = Source::Present;
        }
        self.read = page.into_iter().map(Shown::from).collect();
        Ok(())
    }
}

/// The place to begin after; that before the oldest one that is kept when something after `after` is not.
async fn begin(gateway: &Context, after: Option<i64>) -> Result<(i64, Option<i64>), Error> {
    let kept = live_event::kept(&mut *gateway.read().await?).await?;
    let (oldest, newest) = kept.unwrap_or((1, 0));
    Ok(match after {
        None => (newest, None),
        // A place beyond the end is one of other events, as after the table was restored.
        Some(after) if after < oldest - 1 || after > newest => (oldest - 1, Some(oldest)),
        Some(after) => (after, None),
    })
}
