//! Webhooks as Standard Webhooks 1.0 has them: signatures, when to try again, when to stop.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bhiv_types::Patch;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::callback::CallbackUrl;
use super::event_type::EventType;

/// Public name of the event that tests a subscription.
pub const TEST_EVENT: &str = "webhook_test";

/// How long a secret is signed with after it was replaced.
pub const ROTATION: TimeDelta = TimeDelta::hours(24);

/// A text before each secret, so that it is recognised where it does not belong.
const PREFIX: &str = "whsec_";

/// What is waited for after the first attempt, the second, and so on: the schedule that the specification
/// suggests. An attempt that nothing stands for is the last one.
const SCHEDULE: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// Who wants to be told of what, and where.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// Where.
    pub callback_url: CallbackUrl,
    /// Of which events; of every one that the subscriber may see, unless it names some.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub event_types: Vec<EventType>,
    /// What it is for.
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
}

/// What may be changed about a subscription.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionChange {
    /// Where events are sent.
    pub callback_url: Option<CallbackUrl>,
    /// Which ones; every one if it names none.
    #[schema(max_items = 100)]
    pub event_types: Option<Vec<EventType>>,
    /// What it is for; null for nothing in particular.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    pub description: Patch<String>,
    /// Whether events are sent. Those that happen while they are not are not sent later either.
    pub enabled: Option<bool>,
}

/// A secret of these random bytes.
pub fn secret(bytes: [u8; 32]) -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes))
}

/// The header `webhook-signature`: a signature with each secret, so that a receiver with either one agrees. A text
/// that is no secret signs nothing.
pub fn signatures(secrets: &[&str], id: Uuid, at: DateTime<Utc>, body: &[u8]) -> String {
    let signed = |secret: &&str| {
        let key = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
        let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
        signing.update(format!("{id}.{}.", at.timestamp()).as_bytes());
        signing.update(body);
        Some(format!("v1,{}", BASE64_STANDARD.encode(signing.sign())))
    };
    secrets.iter().filter_map(signed).collect::<Vec<_>>().join(" ")
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It is tried again after this time.
    Retry(TimeDelta),
    /// It was the last attempt.
    GivenUp,
    /// The receiver does not want any more.
    Gone,
}

impl Verdict {
    /// Its name in the log of deliveries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry(_) => "failed",
            Self::GivenUp => "given_up",
            Self::Gone => "gone",
        }
    }
}

/// What the attempt with this number, from 1 on, came to. `status` is absent if nobody answered; `retry_after` is
/// what the receiver asked for, and counts if it is overloaded and asks for more than we would wait; `chance` is
/// between 0 and 1, and keeps many deliveries that failed together from coming back together.
pub fn judge(attempt: i32, status: Option<u16>, retry_after: Option<TimeDelta>, chance: f64) -> Verdict {
    match status {
        Some(200..=299) => return Verdict::Delivered,
        Some(410) => return Verdict::Gone,
        _ => {}
    }
    let place = usize::try_from(attempt).unwrap_or_default().saturating_sub(1);
    let Some(wait) = SCHEDULE.get(place) else { return Verdict::GivenUp };
    let millis = wait.num_milliseconds();
    // A tenth at most, so the order of the schedule stays.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a day has few milliseconds"
    )]
    let jitter = TimeDelta::milliseconds((millis as f64 * 0.1 * chance.clamp(0.0, 1.0)) as i64);
    let asked = retry_after.filter(|_| matches!(status, Some(429 | 503))).unwrap_or_default();
    Verdict::Retry((*wait + jitter).max(asked.min(TimeDelta::hours(24))))
}

/// `Retry-After`: seconds, or a date.
pub fn retry_after(header: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(TimeDelta::seconds(seconds.into()));
    }
    let until = DateTime::parse_from_rfc2822(header).ok()?;
    Some(until.to_utc() - now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(&secret[6..]).unwrap());
        let tag = hmac::sign(&key, format!("{id}.1614265330.{{\"test\": 2432232314}}").as_bytes());
        assert_eq!(BASE64_STANDARD.encode(tag), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

        let (id, at) = (Uuid::from_u128(7), DateTime::from_timestamp(1_614_265_330, 0).unwrap());
        let both = signatures(&[secret, "nonsense", "whsec_b2xk"], id, at, b"{}");
        let reference = |secret: &str| {
            let webhook = standardwebhooks::Webhook::new(secret).unwrap();
            webhook.sign(&id.to_string(), at.timestamp(), b"{}").unwrap()
        };
        assert_eq!(both, format!("{} {}", reference(secret), reference("whsec_b2xk")));
    }

    #[test]
    fn waits_grow_and_end() {
        let mut before = TimeDelta::zero();
        for attempt in 1..=9 {
            let Verdict::Retry(soonest) = judge(attempt, None, None, 0.0) else { panic!("{attempt}") };
            let Verdict::Retry(latest) = judge(attempt, Some(500), None, 1.0) else { panic!("{attempt}") };
            assert!(before < soonest && soonest < latest && latest <= soonest + soonest / 10, "{attempt}");
            before = soonest;
        }
        assert_eq!(judge(10, None, None, 0.5), Verdict::GivenUp);
        assert_eq!(judge(1, Some(204), None, 0.5), Verdict::Delivered);
        assert_eq!(judge(1, Some(410), None, 0.5), Verdict::Gone);
        assert_eq!(judge(1, Some(302), None, 0.0), Verdict::Retry(TimeDelta::seconds(5)));
    }

    #[test]
    fn an_overloaded_receiver_says_when() {
        let minutes = TimeDelta::minutes;
        assert_eq!(judge(1, Some(429), Some(minutes(7)), 0.0), Verdict::Retry(minutes(7)));
        assert_eq!(judge(1, Some(503), Some(minutes(9_999)), 0.0), Verdict::Retry(TimeDelta::hours(24)));
        assert_eq!(judge(2, Some(503), Some(minutes(1)), 0.0), Verdict::Retry(minutes(5)));
        assert_eq!(judge(1, Some(500), Some(minutes(7)), 0.0), Verdict::Retry(TimeDelta::seconds(5)));
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:00Z").unwrap().to_utc();
        assert_eq!(retry_after("120", now), Some(minutes(2)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(TimeDelta::seconds(37)));
        assert_eq!(retry_after("soon", now), None);
    }
}
