//! Finding in texts what says who somebody is.

use std::borrow::Cow;

use bhiv_db::{Conn, DieselError, contains};
use bhiv_types::Email;
use chrono::{DateTime, NaiveDate};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl as _;
use regex::Regex;
use serde_json::Value;
use uuid::Uuid;

/// What stands where it was said who somebody is.
const REDACTED: &str = "[erased]";

/// A form of texts, and what stands there in JSON for a text of that form: its reader relies on it.
type Form = (fn(&str) -> bool, &'static str);

const FORMS: [Form; 5] = [
    (|text| text.parse::<Uuid>().is_ok(), "00000000-0000-0000-0000-000000000000"),
    // A domain that never is: RFC 2606.
    (|text| text.parse::<Email>().is_ok(), "erased@erased.invalid"),
    (|text| text.parse::<f64>().is_ok(), "0"),
    (|text| text.parse::<NaiveDate>().is_ok(), "1970-01-01"),
    (|text| DateTime::parse_from_rfc3339(text).is_ok(), "1970-01-01T00:00:00Z"),
];

/// What has fewer letters and digits stands in texts about other things.
const SHORTEST: usize = 5;

/// What consists of fewer digits may be any number.
const SHORTEST_NUMBER: usize = 7;

/// A column with texts of people.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    table: &'static str,
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Json,
    List,
}

impl Column {
    /// Of type `text`.
    pub fn text(table: &'static str, name: &'static str) -> Self {
        Self { table, name, kind: Kind::Text }
    }

    /// Of type `jsonb`: the texts in it, not the names of its fields.
    pub fn json(table: &'static str, name: &'static str) -> Self {
        Self { table, name, kind: Kind::Json }
    }

    /// Of type `text[]`.
    pub fn list(table: &'static str, name: &'static str) -> Self {
        Self { table, name, kind: Kind::List }
    }

    /// Its value as text: that of the JSON, unless it is a text.
    fn read(self) -> String {
        let Self { name, kind, .. } = self;
        match kind {
            Kind::Text => name.to_owned(),
            Kind::Json => format!("{name}::text"),
            Kind::List => format!("to_jsonb({name})::text"),
        }
    }

    /// Its value from the text that is bound first.
    fn write(self) -> &'static str {
        match self.kind {
            Kind::Text => "$1",
            Kind::Json => "$1::jsonb",
            Kind::List => "ARRAY(SELECT jsonb_array_elements_text($1::jsonb))",
        }
    }

    fn is_json(self) -> bool {
        self.kind != Kind::Text
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Text)]
    text: String,
}

/// What says who somebody is.
#[derive(Debug)]
pub(super) struct Words {
    words: Vec<String>,
    /// None when there is no word.
    regex: Option<Regex>,
}

impl Words {
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut words: Vec<_> = words.filter(|word| is_telling(word)).map(str::to_owned).collect();
        // The longest first: an alternation takes the first that fits.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        let any: Vec<_> = words.iter().map(|word| whole(word)).collect();
        // Names of people are far from what a regex may not be: its size.
        let regex = (!any.is_empty()).then(|| Regex::new(&format!("(?i){}", any.join("|"))).ok()).flatten();
        Self { words, regex }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }

    /// The text without them; borrowed if none is in it.
    fn out_of<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.regex.as_ref().map_or(Cow::Borrowed(text), |regex| regex.replace_all(text, REDACTED))
    }

    /// Whether one of them is in a text of the JSON.
    pub(super) fn is_in_json(&self, json: &Value) -> bool {
        match json {
            Value::String(text) => self.is_in(text),
            Value::Array(values) => values.iter().any(|value| self.is_in_json(value)),
            Value::Object(fields) => fields.values().any(|value| self.is_in_json(value)),
            _ => false,
        }
    }

    fn out_of_json(&self, json: &mut Value) {
        match json {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.out_of(text) {
                    *text = in_form_of(text).unwrap_or(redacted);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.out_of_json(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.out_of_json(value)),
            _ => {}
        }
    }

    /// Patterns for `LIKE`, for texts whose ASCII letters are small: the others cost PostgreSQL more than the search itself,
    /// and stand here in either size. In JSON some characters are written differently.
    pub(super) fn patterns(&self, is_json: bool) -> Vec<String> {
        let sizes = |word: &String| [word.clone(), word.to_lowercase(), word.to_uppercase()];
        let mut patterns: Vec<_> = self
            .words
            .iter()
            .flat_map(sizes)
            .map(|word| {
                let word = word.to_ascii_lowercase();
                let json = Value::String(word.clone()).to_string();
                contains(if is_json { json.trim_start_matches('"').trim_end_matches('"') } else { &word })
            })
            .collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns
    }

    pub(super) async fn redact(&self, conn: &mut Conn, column: Column) -> Result<usize, DieselError> {
        let Column { table, name, .. } = column;
        let (value, mut count) = (column.write(), 0);
        for row in self.rows(conn, column).await? {
            let text = if column.is_json() {
                let mut json: Value = serde_json::from_str(&row.text).unwrap_or_default();
                self.out_of_json(&mut json);
                json.to_string()
            } else {
                self.out_of(&row.text).into_owned()
            };
            if text == row.text {
                continue;
            }
            count += diesel::sql_query(format!("UPDATE {table} SET {name} = {value} WHERE ctid = $2::tid"))
                .bind::<Text, _>(text)
                .bind::<Text, _>(row.place)
                .execute(conn)
                .await?;
        }
        Ok(count)
    }

    pub(super) async fn delete(&self, conn: &mut Conn, column: Column) -> Result<usize, DieselError> {
        let mut places = Vec::new();
        for row in self.rows(conn, column).await? {
            let is_told = if column.is_json() {
                self.is_in_json(&serde_json::from_str(&row.text).unwrap_or_default())
            } else {
                self.is_in(&row.text)
            };
            if is_told {
                places.push(row.place);
            }
        }
        delete_at(conn, column.table, &places).await
    }

    /// The rows in which one of them may stand, locked.
    async fn rows(&self, conn: &mut Conn, column: Column) -> Result<Vec<Row>, DieselError> {
        let (table, text) = (column.table, column.read());
        if self.words.is_empty() {
            return Ok(Vec::new());
        }
        diesel::sql_query(format!(
            "SELECT ctid::text AS place, {text} AS text FROM {table} WHERE lower({text} COLLATE \"C\") LIKE ANY($1) FOR UPDATE"
        ))
        .bind::<Array<Text>, _>(self.patterns(column.is_json()))
        .load(conn)
        .await
    }
}

pub(super) async fn delete_at(conn: &mut Conn, table: &str, places: &[String]) -> Result<usize, DieselError> {
    diesel::sql_query(format!("DELETE FROM {table} WHERE ctid = ANY($1::tid[])"))
        .bind::<Array<Text>, _>(places)
        .execute(conn)
        .await
}

/// Whether it tells who somebody is when it stands in a text by itself. A single word does not: one may be called Will.
fn is_telling(word: &str) -> bool {
    let letters = word.chars().filter(|letter| letter.is_alphanumeric()).count();
    let digits = word.chars().filter(|letter| letter.is_numeric()).count();
    let is_composed = word.contains('@') || digits > 0 || word.split_whitespace().count() > 1;
    letters >= SHORTEST && is_composed && (letters > digits || digits >= SHORTEST_NUMBER)
}

/// What stands for a text whose form has to stay, as its own or as that of the id in `<kind>/<id>`.
fn in_form_of(text: &str) -> Option<String> {
    let form = |text: &str| FORMS.iter().find(|(is_of, _)| is_of(text)).map(|(_, erased)| *erased);
    let of_id = || text.split_once('/').and_then(|(kind, id)| Some(format!("{kind}/{}", form(id)?)));
    form(text).map(str::to_owned).or_else(of_id)
}

/// A pattern that finds `word` as a whole.
fn whole(word: &str) -> String {
    let is_letter =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let edge = |letter| if is_letter(letter) { r"\b" } else { "" };
    format!("{}{}{}", edge(word.chars().next()), regex::escape(word), edge(word.chars().next_back()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_words_of_any_size_are_found() {
        let words =
            Words::new(["Asha Verma", "+91 98 765", "a@b.example", "77", "Will", "Natasha"].into_iter());
        assert_eq!(words.out_of("ASHA VERMA (+91 98 765), a@b.example"), "[erased] ([erased]), [erased]");
        let others = "Natasha Verma will pay 77 by +91 98 7654";
        assert_eq!(words.out_of(others), others);
        let mut json = json!({"Asha Verma": ["call Asha Verma", 7], "n": {"x": "Asha Verma"}});
        words.out_of_json(&mut json);
        assert_eq!(json, json!({"Asha Verma": ["call [erased]", 7], "n": {"x": "[erased]"}}));
    }

    #[test]
    fn in_json_forms_stay() {
        let id = "01a227c8-1bf7-71b1-966a-2137180cfa6f";
        let words = ["a@mail.example", "5550148317", "2027-01-15", "2027-01-15T08:00:00Z", id, "Asha Verma"];
        let words = Words::new(words.into_iter());
        let mut json = json!([
            "a@mail.example",
            "b.A@mail.example",
            "5550148317@mail.example",
            "5550148317",
            "2027-01-15",
            "2027-01-15T08:00:00Z",
            id,
            format!("lead/{id}"),
            "Asha Verma",
            format!("{id} of a@mail.example"),
            id[1..],
        ]);
        words.out_of_json(&mut json);
        let (nil, address) = (Uuid::nil(), "erased@erased.invalid");
        assert_eq!(
            json,
            json!([
                address,
                address,
                address,
                "0",
                "1970-01-01",
                "1970-01-01T00:00:00Z",
                nil,
                format!("lead/{nil}"),
                "[erased]",
                "[erased] of [erased]",
                id[1..],
            ])
        );
    }

    #[test]
    fn letters_of_either_size_are_looked_for() {
        let words = Words::new(["Élodie Roy"].into_iter());
        assert_eq!(words.patterns(false), ["%Élodie roy%", "%élodie roy%"]);
        assert_eq!(words.out_of("élodie ROY, ÉLODIE Roy"), "[erased], [erased]");
        let quoted = Words::new(["Asha \"Ash\" Verma"].into_iter());
        assert_eq!(quoted.patterns(true), [r#"%asha \\"ash\\" verma%"#]);
    }

    #[test]
    fn without_a_word_nothing_is_found() {
        let words = Words::new(std::iter::empty());
        assert!(!words.is_in("anything"));
        assert_eq!(words.out_of(""), "");
    }
}
