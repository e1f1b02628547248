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

/// `narrowed!(Filter, leads)`: a search that finds few records looks them up by the index of their words first.
/// PostgreSQL guesses that a rare word is not so rare, and would walk through the order of the list for it.
///
/// The filter has the words in `text`, records that a search has found already in `ids`, and makes its query by `query`.
#[macro_export]
macro_rules! narrowed {
    ($filter:ty, $table:ident) => {
        impl $filter {
            /// The same, once it is known that a search finds no more than `total`: when that is little, the records are
            /// named.
            pub async fn narrowed(
                mut self,
                conn: &mut $crate::Conn,
                total: i64,
            ) -> ::diesel::QueryResult<Self> {
                if self.text.is_some() && total <= $crate::FEW {
                    self.ids = Some(self.query().select($table::id).load(conn).await?);
                    self.text = None;
                }
                Ok(self)
            }
        }
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
