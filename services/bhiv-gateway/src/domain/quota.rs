//! How many requests a caller may send: the table of quotas, and the algorithm that counts.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bhiv_auth::Role;

/// Requests in a period. All of them may come at once, and then one each `per / requests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub requests: u32,
    /// In which time.
    pub per: Duration,
}

impl Quota {
    /// Microseconds from one request to the next.
    pub fn interval(self) -> u64 {
        micros(self.per) / u64::from(self.requests.max(1))
    }

    /// Whether it allows more than the other one.
    fn is_above(self, other: Self) -> bool {
        self.interval() < other.interval()
    }
}

/// Whom requests are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// Whoever sends from an address, without a token that was verified before.
    Address,
    /// A user or a machine with these roles.
    User(&'a [Role]),
}

/// Which requests a quota is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    class: Class,
    method: Option<String>,
    path: String,
    /// What its requests are counted under: the same in every replica with the same settings.
    pub name: String,
    /// None: without limit.
    pub quota: Option<Quota>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Address,
    User,
    Role(Role),
}

impl Rule {
    fn fits(&self, class: Class, method: &str, path: &str) -> bool {
        let under = path.strip_prefix(self.path.as_str());
        self.class == class
            && self.method.as_deref().is_none_or(|wanted| wanted == method)
            && under.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/') || self.path.is_empty() || self.path.ends_with('/')
            })
    }
}

/// Every quota.
///
/// Written as `<who> [<method>] [<path>]=<requests>/<s|m|h>`, or `=none` for no limit, separated by commas. Who is
/// `address`, `user`, or a role. The longest path that fits decides; a role that has no rule that fits counts
/// as `user`, and of several roles the most generous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas(Vec<Rule>);

impl Quotas {
    /// What holds if nothing else is said.
    pub const DEFAULT: &'static str = "address=100/m,user=1000/m,admin=none,service=none";

    /// The rule for a request; `None` if it is not counted.
    pub fn of(&self, who: Who<'_>, method: &str, path: &str) -> Option<(&Rule, Quota)> {
        let rule = match who {
            Who::Address => self.closest(Class::Address, method, path),
            Who::User(roles) => roles
                .iter()
                .filter_map(|role| {
                    self.closest(Class::Role(*role), method, path)
                        .or_else(|| self.closest(Class::User, method, path))
                })
                .reduce(more_generous)
                .or_else(|| self.closest(Class::User, method, path)),
        }?;
        Some((rule, rule.quota?))
    }

    fn closest(&self, class: Class, method: &str, path: &str) -> Option<&Rule> {
        let fitting = self.0.iter().filter(|rule| rule.fits(class, method, path));
        fitting.max_by_key(|rule| (rule.path.len(), rule.method.is_some()))
    }
}

fn more_generous<'r>(one: &'r Rule, other: &'r Rule) -> &'r Rule {
    match (one.quota, other.quota) {
        (None, _) => one,
        (_, None) => other,
        (Some(this), Some(that)) => {
            if that.is_above(this) {
                other
            } else {
                one
            }
        }
    }
}

/// What is wrong with a table of quotas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoQuotas(String);

impl fmt::Display for NoQuotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not like 'user=1000/m', 'address POST /auth/login=10/m' or 'admin=none'", self.0)
    }
}

impl std::error::Error for NoQuotas {}

impl FromStr for Quotas {
    type Err = NoQuotas;

    fn from_str(text: &str) -> Result<Self, NoQuotas> {
        let rules = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let rules: Vec<_> = rules
            .map(|entry| rule(entry).ok_or_else(|| NoQuotas(entry.to_owned())))
            .collect::<Result<_, _>>()?;
        // Without a quota for strangers there would be none for anybody who has no token.
        let needed = [Class::Address, Class::User];
        match needed
            .iter()
            .find(|class| !rules.iter().any(|rule: &Rule| rule.class == **class && rule.path.is_empty()))
        {
            Some(class) => Err(NoQuotas(format!("{text}' lacks '{class:?}").to_lowercase())),
            None => Ok(Self(rules)),
        }
    }
}

fn rule(entry: &str) -> Option<Rule> {
    let (which, quota) = entry.rsplit_once('=')?;
    let mut words = which.split_whitespace();
    let class = match words.next()? {
        "address" => Class::Address,
        "user" => Class::User,
        role => Class::Role(role.parse().ok()?),
    };
    let (mut method, mut path) = (None, String::new());
    for word in words {
        if word.starts_with('/') && path.is_empty() {
            word.clone_into(&mut path);
        } else if word.chars().all(|letter| letter.is_ascii_uppercase())
            && method.is_none()
            && path.is_empty()
        {
            method = Some(word.to_owned());
        } else {
            return None;
        }
    }
    let quota = match quota.trim() {
        "none" => None,
        some => {
            let (requests, unit) = some.split_once('/')?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                _ => return None,
            };
            let requests = requests.parse().ok().filter(|requests| (1..=1_000_000).contains(requests))?;
            Some(Quota { requests, per: Duration::from_secs(seconds) })
        }
    };
    let name = match class {
        Class::Address => "address",
        Class::User => "user",
        Class::Role(role) => role.name(),
    };
    let name = format!("{name} {} {path}", method.as_deref().unwrap_or("*"));
    Some(Rule { class, method, path, name, quota })
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may pass.
    pub is_allowed: bool,
    /// How many more could pass now.
    pub remaining: u64,
    /// Microseconds until the whole quota is there again.
    pub reset: u64,
    /// Microseconds until a refused one would pass; 0 if it was not.
    pub retry_after: u64,
}

/// The generic cell rate algorithm (ITU-T I.371) as a virtual schedule: `arrival` is the theoretical arrival time of
/// the next request, in microseconds like `now`. Answers the verdict and the new arrival time.
pub fn count(quota: Quota, arrival: u64, now: u64) -> (Verdict, u64) {
    let interval = quota.interval();
    let window = interval * u64::from(quota.requests);
    let arrival = arrival.max(now);
    let next = arrival + interval;
    if next > now + window {
        let verdict = Verdict {
            is_allowed: false,
            remaining: 0,
            reset: arrival - now,
            retry_after: next - window - now,
        };
        return (verdict, arrival);
    }
    let remaining = (now + window - next) / interval.max(1);
    (Verdict { is_allowed: true, remaining, reset: next - now, retry_after: 0 }, next)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn quotas(text: &str) -> Quotas {
        text.parse().unwrap()
    }

    fn found(quotas: &Quotas, who: Who<'_>, method: &str, path: &str) -> String {
        quotas
            .of(who, method, path)
            .map_or("none".to_owned(), |(rule, quota)| format!("{} {}", rule.name, quota.requests))
    }

    #[test]
    fn the_defaults_are_those_of_the_api() {
        let quotas = quotas(Quotas::DEFAULT);
        assert_eq!(found(&quotas, Who::Address, "GET", "/"), "address *  100");
        assert_eq!(found(&quotas, Who::User(&[Role::Sales]), "GET", "/crm/leads"), "user *  1000");
        assert_eq!(found(&quotas, Who::User(&[]), "GET", "/crm/leads"), "user *  1000");
        assert_eq!(found(&quotas, Who::User(&[Role::Viewer, Role::Admin]), "GET", "/crm/leads"), "none");
        assert_eq!(found(&quotas, Who::User(&[Role::Service]), "POST", "/event/publish"), "none");
    }

    #[test]
    fn the_closest_rule_decides_and_the_most_generous_role() {
        let quotas = quotas(
            "address=100/m, address POST /auth/login=5/m, user=1000/m, user /crm/import=2/h, sales=10/s",
        );
        assert_eq!(found(&quotas, Who::Address, "POST", "/auth/login"), "address POST /auth/login 5");
        assert_eq!(found(&quotas, Who::Address, "GET", "/auth/login"), "address *  100");
        assert_eq!(found(&quotas, Who::Address, "POST", "/auth/logins"), "address *  100");
        assert_eq!(
            found(&quotas, Who::User(&[Role::Viewer]), "POST", "/crm/import/7"),
            "user * /crm/import 2"
        );
        // 10 a second are 600 a minute.
        assert_eq!(found(&quotas, Who::User(&[Role::Viewer, Role::Sales]), "GET", "/crm"), "user *  1000");
        assert_eq!(found(&quotas, Who::User(&[Role::Sales]), "GET", "/crm"), "sales *  10");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for wrong in [
            "address",
            "address=many/m",
            "address=0/m",
            "address=5/d",
            "king=5/m",
            "address get /=5/m",
            "address=5/m",
        ] {
            assert!(wrong.parse::<Quotas>().is_err(), "{wrong}");
        }
        let error = "address=1/m,user=1/m,king=5/m".parse::<Quotas>().unwrap_err();
        assert!(error.to_string().starts_with("'king=5/m' is not like"), "{error}");
    }

    #[test]
    fn the_whole_quota_at_once_and_then_at_its_pace() {
        let quota = Quota { requests: 100, per: Duration::from_mins(1) };
        let (mut arrival, now) = (0, 1_000 * SECOND);
        for left in (0..100).rev() {
            let (verdict, next) = count(quota, arrival, now);
            assert_eq!((verdict.is_allowed, verdict.remaining), (true, left));
            arrival = next;
        }
        let (verdict, same) = count(quota, arrival, now);
        let refused = Verdict { is_allowed: false, remaining: 0, reset: 60 * SECOND, retry_after: 600_000 };
        assert_eq!((verdict, same), (refused, arrival), "a refused request costs nothing");
        assert!(!count(quota, arrival, now + 599_999).0.is_allowed);
        assert!(count(quota, arrival, now + 600_000).0.is_allowed);
        assert_eq!(count(quota, arrival, now + 60 * SECOND).0.remaining, 99, "all of it is back");
    }
}
