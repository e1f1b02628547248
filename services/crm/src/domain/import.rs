//! Files of leads, row by row. Nothing here keeps more than one row.

use csv_core::{ReadRecordResult, Reader};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A row takes no more than this, in bytes.
pub const LARGEST_ROW: usize = 64 * 1024;

/// A row has no more fields than this.
const MOST_FIELDS: usize = 100;

/// How far an import is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImportStatus {
    /// The file is coming.
    Receiving,
    /// Its rows become leads.
    Importing,
    /// They have.
    Done,
    /// A row is bad, and so nothing is imported.
    Refused,
    /// The file did not come whole, and nothing is imported.
    Aborted,
}

/// What became of a row.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RowOutcome {
    /// It is still to be imported.
    Pending,
    /// It cannot be.
    Refused,
    /// It is a lead now.
    Created,
    /// It changed a lead that was imported before.
    Updated,
    /// It is what the lead is already.
    Unchanged,
}

/// What happens when a row is bad.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Deserialize,
    Serialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OnError {
    /// Nothing is imported.
    #[default]
    Stop,
    /// The good ones are.
    Skip,
}

/// A row of a file: the fields that it has, or why it cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: i32,
    /// What it says.
    pub fields: Result<Map<String, Value>, String>,
}

/// A row is too large; it begins on that line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row on line {0} is larger than 64 KiB or has more than 100 fields")]
pub struct TooLarge(pub i32);

/// Takes rows out of parts of a file that know nothing of rows.
#[derive(Debug)]
pub enum Rows {
    /// Names of the fields first.
    Csv(Box<Csv>),
    /// A JSON object a line.
    Ndjson(Ndjson),
}

impl Rows {
    /// For a file that begins.
    pub fn new(is_csv: bool) -> Self {
        if is_csv { Self::Csv(Box::default()) } else { Self::Ndjson(Ndjson::default()) }
    }

    /// The rows that end in this part.
    ///
    /// # Errors
    /// When a row is too large.
    pub fn feed(&mut self, part: &[u8]) -> Result<Vec<Row>, TooLarge> {
        match self {
            Self::Csv(csv) => csv.feed(part),
            Self::Ndjson(lines) => lines.feed(part),
        }
    }

    /// The row that ends with the file.
    ///
    /// # Errors
    /// When it is too large.
    pub fn end(mut self) -> Result<Vec<Row>, TooLarge> {
        match &mut self {
            // An empty part says that nothing follows.
            Self::Csv(csv) => csv.read(&[]),
            Self::Ndjson(lines) => lines.feed(b"\n"),
        }
    }
}

/// CSV (RFC 4180).
#[derive(Debug)]
pub struct Csv {
    reader: Reader,
    names: Option<Vec<String>>,
    text: Vec<u8>,
    filled: usize,
    ends: [usize; MOST_FIELDS],
    fields: usize,
    line: i32,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            reader: Reader::new(),
            names: None,
            text: vec![0; LARGEST_ROW],
            filled: 0,
            ends: [0; MOST_FIELDS],
            fields: 0,
            line: 1,
        }
    }
}

impl Csv {
    fn feed(&mut self, part: &[u8]) -> Result<Vec<Row>, TooLarge> {
        if part.is_empty() { Ok(Vec::new()) } else { self.read(part) }
    }

    fn read(&mut self, mut part: &[u8]) -> Result<Vec<Row>, TooLarge> {
        let mut rows = Vec::new();
        loop {
            let text = self.text.get_mut(self.filled..).unwrap_or_default();
            let ends = self.ends.get_mut(self.fields..).unwrap_or_default();
            let (result, read, written, ended) = self.reader.read_record(part, text, ends);
            part = part.get(read..).unwrap_or_default();
            self.filled += written;
            self.fields += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(rows),
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(TooLarge(self.line));
                }
                ReadRecordResult::Record => {
                    rows.extend(self.take());
                    (self.filled, self.fields) = (0, 0);
                    self.line = i32::try_from(self.reader.line()).unwrap_or(i32::MAX);
                }
            }
        }
    }

    /// The record that was read; the first one has the names.
    fn take(&mut self) -> Option<Row> {
        let mut begin = 0;
        let ends = self.ends.get(..self.fields).unwrap_or_default();
        let texts = ends.iter().map(|end| {
            let text = self.text.get(begin..*end).unwrap_or_default();
            begin = *end;
            std::str::from_utf8(text).map(str::to_owned).map_err(|_| "is not UTF-8".to_owned())
        });
        let texts: Result<Vec<_>, String> = texts.collect();
        let line = self.line;
        let texts = match texts {
            Ok(texts) => texts,
            Err(fault) => return Some(Row { line, fields: Err(fault) }),
        };
        let Some(names) = &self.names else {
            let names = texts.into_iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned());
            self.names = Some(names.collect());
            return None;
        };
        if texts.len() != names.len() {
            let fault = format!("has {} fields; the first row names {}", texts.len(), names.len());
            return Some(Row { line, fields: Err(fault) });
        }
        // What is empty is not there.
        let fields = names.iter().zip(texts).filter(|(_, text)| !text.trim().is_empty());
        let fields = fields.map(|(name, text)| match name.as_str() {
            "consent" => {
                (name.clone(), json!({"purposes": text.split(';').map(str::trim).collect::<Vec<_>>()}))
            }
            _ => (name.clone(), Value::String(text.trim().to_owned())),
        });
        Some(Row { line, fields: Ok(fields.collect()) })
    }
}

/// JSON objects, one a line.
#[derive(Debug, Default)]
pub struct Ndjson {
    begun: Vec<u8>,
    lines: i32,
}

impl Ndjson {
    fn feed(&mut self, part: &[u8]) -> Result<Vec<Row>, TooLarge> {
        let mut rows = Vec::new();
        let mut pieces = part.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            self.begun.extend_from_slice(piece);
            if self.begun.len() > LARGEST_ROW {
                return Err(TooLarge(self.lines + 1));
            }
            if pieces.peek().is_some() {
                self.lines += 1;
                let text = std::mem::take(&mut self.begun);
                if !text.iter().all(u8::is_ascii_whitespace) {
                    let fields = serde_json::from_slice(&text).map_err(|error| error.to_string());
                    rows.push(Row { line: self.lines, fields });
                }
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(is_csv: bool, file: &[u8], sizes: &[usize]) -> Vec<Row> {
        let (mut rows, mut found, mut rest) = (Rows::new(is_csv), Vec::new(), file);
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let (part, next) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
            found.extend(rows.feed(part).unwrap());
            rest = next;
        }
        found.extend(rows.end().unwrap());
        found
    }

    const CSV: &str = "name,email,consent\n\"Verma, Asha\",a@example.com,contact; profiling\n\
                       \"two\nlines\",b@example.com,\nshort\n\u{fffd},c@example.com,\n";

    #[test]
    fn fields_are_named_and_what_is_empty_is_not_there() {
        let found = rows(true, CSV.as_bytes(), &[7]);
        let lines: Vec<_> = found.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 3, 5, 6]);
        let first = found[0].fields.clone().unwrap();
        assert_eq!(first["name"], "Verma, Asha");
        assert_eq!(first["consent"], json!({"purposes": ["contact", "profiling"]}));
        assert_eq!(found[1].fields.clone().unwrap().get("consent"), None);
        assert_eq!(found[2].fields, Err("has 1 fields; the first row names 3".to_owned()));
    }

    #[test]
    fn json_lines_may_lack_the_last_line_break() {
        let found = rows(false, b"{\"name\": 1}\n\n{\n{\"name\": 2}", &[3]);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].fields.clone().unwrap()["name"], 1);
        assert!(found[1].fields.is_err());
        assert_eq!((found[2].line, &found[2].fields.clone().unwrap()["name"]), (4, &json!(2)));
    }

    #[test]
    fn what_never_ends_is_refused() {
        let long = vec![b'x'; LARGEST_ROW + 1];
        assert_eq!(Rows::new(false).feed(&long), Err(TooLarge(1)));
        assert_eq!(Rows::new(true).feed(&long), Err(TooLarge(1)));
    }

    proptest! {
        #[test]
        fn parts_of_any_size_make_the_same_rows(sizes in prop::collection::vec(1_usize..20, 1..10)) {
            prop_assert_eq!(rows(true, CSV.as_bytes(), &sizes), rows(true, CSV.as_bytes(), &[1000]));
            let lines = b"{\"name\": 1}\n\n{\n{\"name\": 2}";
            prop_assert_eq!(rows(false, lines, &sizes), rows(false, lines, &[1000]));
        }
    }
}
