use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::Problem;

/// A part of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// How many items the whole list has.
    pub total: i64,
    /// Where the next part begins; null at the end.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// `items` were read with [`Limit::and_one`]: the one too many says that there is more. `place` is where an
    /// item stands: its id; in a list that is sorted by something else, [`Cursor::at`] that, too.
    pub fn new<P: Into<Cursor>>(
        mut items: Vec<T>,
        limit: Limit,
        total: i64,
        place: impl Fn(&T) -> P,
    ) -> Self {
        let limit = usize::from(limit.0);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| has_more).map(|item| place(item).into());
        Self { items, total, next_cursor }
    }
}

/// Each list has a schema of its own, named after its items.
impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("PageOf{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let integer = ObjectBuilder::new().schema_type(Type::Integer);
        let text_or_null = SchemaType::from_iter([Type::String, Type::Null]);
        ObjectBuilder::new()
            .description(Some("A part of a list."))
            .property("items", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .property("total", integer.description(Some("How many items the whole list has.")))
            .property(
                "next_cursor",
                ObjectBuilder::new()
                    .schema_type(text_or_null)
                    .description(Some("Where the next part begins; null at the end.")),
            )
            .required("items")
            .required("total")
            .required("next_cursor")
            .into()
    }
}

/// A place in a list: that of the item with this id, and what the list is sorted by has for it. Opaque to clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    id: Uuid,
    key: Option<Value>,
}

impl Cursor {
    /// The place of the item `id` in a list that is sorted by `key`.
    pub fn at(key: &impl Serialize, id: impl Into<Uuid>) -> Self {
        Self { id: id.into(), key: Some(serde_json::to_value(key).unwrap_or_default()) }
    }

    /// The id of the item that a part begins after.
    pub fn id(cursor: Option<Self>) -> Option<Uuid> {
        cursor.map(|cursor| cursor.id)
    }

    /// What the list is sorted by has for that item, and its id.
    ///
    /// # Errors
    /// 422 when it is a place in a list that is sorted by something else.
    pub fn place<K: DeserializeOwned, I: From<Uuid>>(
        cursor: Option<Self>,
    ) -> Result<Option<(K, I)>, Problem> {
        let Some(Self { id, key }) = cursor else { return Ok(None) };
        let key = serde_json::from_value(key.unwrap_or_default()).map_err(|_| {
            Problem::invalid(Vec::new()).at("?cursor", "is of a list that is sorted by something else")
        })?;
        Ok(Some((key, I::from(id))))
    }
}

impl From<Uuid> for Cursor {
    fn from(id: Uuid) -> Self {
        Self { id, key: None }
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        match cursor.key {
            None => BASE64_URL_SAFE_NO_PAD.encode(cursor.id),
            Some(key) => BASE64_URL_SAFE_NO_PAD.encode(json!([cursor.id, key]).to_string()),
        }
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NONE: &str = "is no cursor of this list";
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NONE)?;
        if let Ok(id) = Uuid::from_slice(&bytes) {
            return Ok(Self { id, key: None });
        }
        let (id, key) = serde_json::from_slice(&bytes).map_err(|_| NONE)?;
        Ok(Self { id, key: Some(key) })
    }
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl ToSchema for Cursor {}

impl PartialSchema for Cursor {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A place in a list, as `next_cursor` of the part before it."))
            .pattern(Some("^[A-Za-z0-9_-]{22,1000}$"))
            .into()
    }
}

/// How many items a part of a list has at most: 1 to 200, and 50 unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Limit(u8);

impl Limit {
    /// One more, to see whether there is more.
    pub fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl ToSchema for Limit {}

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("How many items at most."))
            .minimum(Some(1))
            .maximum(Some(200))
            .default(Some(serde_json::json!(50)))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        for cursor in [Cursor::from(id), Cursor::at(&"Verma", id), Cursor::at(&Some(0.5), id)] {
            assert_eq!(String::from(cursor.clone()).parse(), Ok(cursor));
        }
        assert!("nonsense".parse::<Cursor>().is_err());
    }

    #[test]
    fn a_cursor_is_of_one_order_only() {
        let by_name = Some(Cursor::at(&"Verma", Uuid::nil()));
        let place = Cursor::place::<String, Uuid>(by_name.clone()).unwrap();
        assert_eq!(place, Some(("Verma".to_owned(), Uuid::nil())));
        assert!(Cursor::place::<f64, Uuid>(by_name).is_err());
        assert!(Cursor::place::<f64, Uuid>(Some(Uuid::nil().into())).is_err());
    }

    #[test]
    fn there_is_a_cursor_only_when_there_is_more() {
        let page = |count: u128| {
            let items: Vec<Uuid> = (0..count).map(Uuid::from_u128).collect();
            Page::new(items, Limit(2), 9, |id| *id)
        };
        assert_eq!(page(2).next_cursor, None);
        let full = page(3);
        assert_eq!(full.items.len(), 2);
        assert_eq!(full.next_cursor, Some(Cursor::from(Uuid::from_u128(1))));
    }
}
