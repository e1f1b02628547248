/// A statement that is prepared once per connection and then only executed.
///
/// `sql_query`, inserts of several rows and updates are parsed and planned anew each time, which costs half
/// of a short statement. Here the text is constant and every value is bound, so the statement is named by its
/// type. Lists are bound as arrays and unnested.
///
/// ```
/// use diesel::sql_types::{BigInt, Text};
///
/// bhiv_db::statement! {
///     /// The stock of a product, after taking some.
///     struct Take<'a> { sku: &'a str, quantity: i64 } -> (BigInt);
///     "UPDATE stock SET on_hand = on_hand - " [quantity: BigInt]
///     " WHERE sku = " [sku: Text] " RETURNING on_hand"
/// }
/// ```
#[macro_export]
macro_rules! statement {
    (
        $(#[$meta:meta])*
        struct $name:ident<'a> { $($field:ident: $rust:ty),* $(,)? } -> ($($column:ty),*);
        $($text:literal $([$bind:ident: $sql:ty])?)*
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        struct $name<'a> {
            $($field: $rust,)*
            lifetime: ::std::marker::PhantomData<&'a ()>,
        }

        impl<'a> $name<'a> {
            fn new($($field: $rust),*) -> Self {
                Self { $($field,)* lifetime: ::std::marker::PhantomData }
            }
        }

        impl ::diesel::query_builder::Query for $name<'_> {
            type SqlType = ($($column),*);
        }

        impl ::diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl ::diesel::query_builder::QueryFragment<::diesel::pg::Pg> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: ::diesel::query_builder::AstPass<'_, 'b, ::diesel::pg::Pg>,
            ) -> ::diesel::QueryResult<()> {
                $(
                    out.push_sql($text);
                    $(out.push_bind_param::<$sql, _>(&self.$bind)?;)?
                )*
                Ok(())
            }
        }
    };
}
