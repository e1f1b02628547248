//! How values become columns. The store room calls these macros, so that the domain need not know the
//! database.

/// Lets ids be columns: `uuid_columns!(LeadId, AccountId);`.
#[macro_export]
macro_rules! uuid_columns {
    ($($type:ty),+ $(,)?) => {$(const _: () = {
        use ::diesel::deserialize::{self, FromSql};
        use ::diesel::pg::{Pg, PgValue};
        use ::diesel::serialize::{self, Output, ToSql};

        #[derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow)]
        #[diesel(foreign_derive, sql_type = ::diesel::sql_types::Uuid)]
        #[expect(dead_code, reason = "it carries the derives to the type it wraps")]
        struct Column($type);

        impl ToSql<::diesel::sql_types::Uuid, Pg> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let id = $crate::private::uuid::Uuid::from(*self);
                ToSql::<::diesel::sql_types::Uuid, Pg>::to_sql(&id, &mut out.reborrow())
            }
        }

        impl FromSql<::diesel::sql_types::Uuid, Pg> for $type {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                FromSql::<::diesel::sql_types::Uuid, Pg>::from_sql(value)
                    .map(|id: $crate::private::uuid::Uuid| Self::from(id))
            }
        }
    };)+};
}

/// Lets values with a textual form be columns: `text_columns!(LeadStatus);`. They are written with `Display`
/// and read with `FromStr`.
#[macro_export]
macro_rules! text_columns {
    ($($type:ty),+ $(,)?) => {$(const _: () = {
        use ::std::io::Write as _;

        use ::diesel::deserialize::{self, FromSql};
        use ::diesel::pg::{Pg, PgValue};
        use ::diesel::serialize::{self, IsNull, Output, ToSql};

        #[derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow)]
        #[diesel(foreign_derive, sql_type = ::diesel::sql_types::Text)]
        #[expect(dead_code, reason = "it carries the derives to the type it wraps")]
        struct Column($type);

        impl ToSql<::diesel::sql_types::Text, Pg> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ::std::write!(out, "{self}")?;
                Ok(IsNull::No)
            }
        }

        impl FromSql<::diesel::sql_types::Text, Pg> for $type {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let text: String = FromSql::<::diesel::sql_types::Text, Pg>::from_sql(value)?;
                text.parse().map_err(::std::convert::Into::into)
            }
        }
    };)+};
}

/// Lets values that are read as a whole be `jsonb` columns: `json_columns!(Location);`. They are written and
/// read with serde.
#[macro_export]
macro_rules! json_columns {
    ($($type:ty),+ $(,)?) => {$(const _: () = {
        use ::diesel::deserialize::{self, FromSql};
        use ::diesel::pg::{Pg, PgValue};
        use ::diesel::serialize::{self, Output, ToSql};

        use $crate::private::serde_json;

        #[derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow)]
        #[diesel(foreign_derive, sql_type = ::diesel::sql_types::Jsonb)]
        #[expect(dead_code, reason = "it carries the derives to the type it wraps")]
        struct Column($type);

        impl ToSql<::diesel::sql_types::Jsonb, Pg> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let value = serde_json::to_value(self)?;
                ToSql::<::diesel::sql_types::Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
            }
        }

        impl FromSql<::diesel::sql_types::Jsonb, Pg> for $type {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let value = FromSql::<::diesel::sql_types::Jsonb, Pg>::from_sql(value)?;
                serde_json::from_value(value).map_err(::std::convert::Into::into)
            }
        }
    };)+};
}

text_columns!(crate::Email, crate::Currency, crate::Priority, crate::Purpose);
