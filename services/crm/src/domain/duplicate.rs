use std::sync::LazyLock;

use strsim::jaro_winkler;

/// What tells people apart.
#[derive(Clone, Copy, Debug)]
pub struct Traits<'a> {
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub company: Option<&'a str>,
}

/// How alike two people are.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// 0 to 1: one less the chance that they are two, were each reason independent of the others.
    pub score: f64,
    /// `email`, `phone`, `name`, `company`.
    pub reasons: Vec<&'static str>,
}

/// From here on two records are called duplicates: one mailbox or one phone number suffices, a name needs the
/// company beside it.
pub const ALIKE: f64 = 0.5;

/// Names at least as similar as this, by Jaro-Winkler, may be one.
const SAME_NAME: f64 = 0.88;

type Rule = (&'static str, fn(&Traits<'_>, &Traits<'_>) -> f64);

/// A reason, and how sure it makes, 0 to 1.
static RULES: LazyLock<[Rule; 4]> = LazyLock::new(|| {
    [
        ("email", |one, other| if same(one.email, other.email, mailbox) { 0.95 } else { 0.0 }),
        ("phone", |one, other| if same(one.phone, other.phone, digits) { 0.8 } else { 0.0 }),
        ("name", |one, other| {
            let likeness = jaro_winkler(&letters(one.name), &letters(other.name));
            if likeness >= SAME_NAME { 0.4 * likeness } else { 0.0 }
        }),
        ("company", |one, other| if same(one.company, other.company, letters) { 0.35 } else { 0.0 }),
    ]
});

/// How alike they are, and why.
pub fn likeness(one: &Traits<'_>, other: &Traits<'_>) -> Likeness {
    let (mut apart, mut reasons) = (1.0, Vec::new());
    for (reason, sure) in RULES.iter() {
        let sure = sure(one, other);
        if sure > 0.0 {
            apart *= 1.0 - sure;
            reasons.push(*reason);
        }
    }
    Likeness { score: 1.0 - apart, reasons }
}

fn same(one: Option<&str>, other: Option<&str>, key: fn(&str) -> String) -> bool {
    match (one.map(key), other.map(key)) {
        (Some(one), Some(other)) => !one.is_empty() && one == other,
        _ => false,
    }
}

/// A mailbox without what its provider ignores: case, what follows a plus; at Gmail dots, too.
fn mailbox(email: &str) -> String {
    let email = email.to_lowercase();
    let Some((local, host)) = email.split_once('@') else { return email };
    let local = local.split('+').next().unwrap_or(local);
    if host == "gmail.com" || host == "googlemail.com" {
        format!("{}@gmail.com", local.replace('.', ""))
    } else {
        format!("{local}@{host}")
    }
}

/// The last ten digits: with or without the country, a number is the same. Less than seven are none.
fn digits(phone: &str) -> String {
    let digits: Vec<_> = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 {
        return String::new();
    }
    digits.iter().skip(digits.len().saturating_sub(10)).collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASHA: Traits<'_> = Traits {
        name: "Asha Verma",
        email: Some("asha.verma@gmail.com"),
        phone: Some("+91 98765 43210"),
        company: Some("Verma Textiles"),
    };

    #[test]
    fn what_is_written_otherwise_is_the_same() {
        let other = Traits {
            name: "VERMA, A.",
            email: Some("ashaverma+fair@googlemail.com"),
            phone: Some("098765-43210"),
            company: None,
        };
        let found = likeness(&ASHA, &other);
        assert_eq!(found.reasons, ["email", "phone"]);
        assert!((found.score - 0.99).abs() < 1e-9);
    }

    #[test]
    fn a_name_alone_is_not_enough_and_with_the_company_it_is() {
        let alone = Traits { name: "Asha Vermaa", email: None, phone: Some("12345"), company: None };
        assert_eq!(likeness(&ASHA, &alone).reasons, ["name"]);
        assert!(likeness(&ASHA, &alone).score < ALIKE);
        let both = Traits { company: Some("verma textiles"), ..alone };
        assert_eq!(likeness(&ASHA, &both).reasons, ["name", "company"]);
        assert!(likeness(&ASHA, &both).score >= ALIKE);
    }

    #[test]
    fn strangers_have_nothing_in_common() {
        let ravi =
            Traits { name: "Ravi Kumar", email: Some("ravi@example.com"), phone: None, company: Some("") };
        let empty = Traits { company: Some(""), ..ASHA };
        assert_eq!(likeness(&empty, &ravi), Likeness { score: 0.0, reasons: vec![] });
    }
}
