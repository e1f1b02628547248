/// What full-text search asks for: each word of `text` begins a word of the record. Letters and digits are
/// words, whatever is between them is not. For `to_tsquery('simple', ...)`.
pub fn prefix_query(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(|word| format!("'{}':*", word.to_lowercase())).collect();
    words.join(" & ")
}

/// So many records are few: a search that finds no more looks them up by their ids.
pub const FEW: i64 = 1000;

/// The records whose words begin with those of a text, as a filter of a query: `words!(leads, text)`.
///
/// Its table has the words in a column of its own, and an index on them:
///
/// ```sql
/// ALTER TABLE leads ADD COLUMN search tsvector GENERATED ALWAYS AS
///     (to_tsvector('simple', regexp_replace(name || ' ' || email, '[^[:alnum:]]+', ' ', 'g'))) STORED;
/// CREATE INDEX leads_search ON leads USING gin (search);
/// ```
#[macro_export]
macro_rules! words {
    ($table:ident, $text:expr) => {
        ::diesel::dsl::sql::<::diesel::sql_types::Bool>(concat!(
            stringify!($table),
            ".search @@ to_tsquery('simple', "
        ))
        .bind::<::diesel::sql_types::Text, _>($crate::prefix_query($text))
        .sql(")")
    };
}

#[cfg(test)]
mod tests {
    use super::prefix_query;

    #[test]
    fn whatever_is_typed_is_a_query() {
        assert_eq!(prefix_query("Asha ver"), "'asha':* & 'ver':*");
        assert_eq!(prefix_query("o'neil & (sons) | !x:* \\"), "'o':* & 'neil':* & 'sons':* & 'x':*");
        assert_eq!(prefix_query(" %_ "), "");
    }
}
