use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::personal;

/// Words of one entry that are found, at most; what a longer text says after them is not.
const MOST: usize = 400;

/// Letters of a word that count.
const LONGEST: usize = 60;

/// The words of an entry, in the form in which PostgreSQL reads a `tsvector`: each with its places.
///
/// A word is letters and digits; case does not count. An id (a UUID) is no word: whoever knows one has a filter for it.
#[derive(Debug, Default)]
pub struct Words {
    places: BTreeMap<String, Vec<usize>>,
    count: usize,
}

impl Words {
    /// Adds those of a text. Between two texts nothing is a phrase.
    pub fn add(&mut self, text: &str) {
        for part in text.split(|letter: char| letter.is_whitespace() || letter == '/') {
            if is_id(part) {
                continue;
            }
            for word in split(part) {
                if self.count >= MOST {
                    return;
                }
                self.count += 1;
                self.places.entry(word).or_default().push(self.count);
            }
        }
        self.count += 1;
    }

    /// Adds those of every text in a document. What is sealed has none: nobody finds a person by what was sealed.
    pub fn add_all(&mut self, data: &Value) {
        match data {
            Value::String(text) => self.add(text),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            Value::Object(fields) if personal::seal_of(fields).is_some() => {}
            Value::Object(fields) => fields.values().for_each(|value| self.add_all(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The text of the `tsvector`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (word, places) in &self.places {
            // There is nothing in a word that would have to be escaped.
            let _ = write!(text, "'{word}':");
            for (number, place) in places.iter().enumerate() {
                let _ = write!(text, "{}{place}", if number == 0 { "" } else { "," });
            }
            text.push(' ');
        }
        text
    }
}

/// Letters and digits, in lower case; what is longer than a word is loses its end.
pub fn split(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| {
        word.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).take(LONGEST).collect()
    })
}

/// Whether it is a UUID, with hyphens.
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_have_their_places_and_ids_are_none() {
        let mut words = Words::default();
        words.add("lead_created");
        words.add_all(
            &json!({"id": "01900000-0000-7000-8000-000000000001", "name": "Asha Verma, ASHA", "n": 12.5,
            "of": "lead/01900000-0000-7000-8000-000000000001", "no": null, "list": ["é'x"]}),
        );
        assert_eq!(words.text(), "'12':9 '5':10 'asha':5,7 'created':2 'lead':1,12 'verma':6 'x':15 'é':14 ");
    }

    #[test]
    fn a_long_text_is_found_by_its_beginning() {
        let mut words = Words::default();
        words.add(&"word ".repeat(1_000));
        words.add("late");
        assert_eq!(words.places["word"].len(), MOST);
        assert!(!words.places.contains_key("late"));
        assert_eq!(split(&"x".repeat(100)).next().map(|word| word.len()), Some(LONGEST));
    }
}
