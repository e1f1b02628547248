/// A boxed query in the order of `by` and then of `id`, beginning after a place in it, that of the value and the
/// id given. An index on the two serves it however far the place is. `by` must not be null: sort those without a
/// value by `coalesce`.
///
/// ```
/// # diesel::table! { leads (id) { id -> BigInt, name -> Text, } }
/// use diesel::prelude::*;
///
/// let after = Some(("Verma".to_owned(), 7));
/// let query = leads::table.into_boxed::<diesel::pg::Pg>();
/// let query = bhiv_db::keyset!(query, leads::name, leads::id, false, after);
/// let sql = diesel::debug_query(&query).to_string();
/// assert!(sql.contains("ORDER BY \"leads\".\"name\" ASC, \"leads\".\"id\" ASC"));
/// ```
#[macro_export]
macro_rules! keyset {
    ($query:expr, $by:expr, $id:expr, $descending:expr, $after:expr) => {{
        let mut query = $query;
        if $descending {
            if let Some((by, id)) = $after {
                query = query.filter($by.le(by.clone()).and($by.lt(by).or($id.lt(id))));
            }
            query.order(($by.desc(), $id.desc()))
        } else {
            if let Some((by, id)) = $after {
                query = query.filter($by.ge(by.clone()).and($by.gt(by).or($id.gt(id))));
            }
            query.order(($by.asc(), $id.asc()))
        }
    }};
}
