use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::{DeliveryId, ProofId};
use crate::domain::tracking::ProofKind;
use crate::schema::proofs;

/// A picture that shows that a delivery arrived, without the picture.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = proofs, treat_none_as_default_value = false)]
pub struct Proof {
    /// Its id.
    pub id: ProofId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// What it shows.
    pub kind: ProofKind,
    /// Who took the delivery, by name.
    pub received_by: Option<String>,
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: String,
    /// How many bytes it has.
    pub size: i32,
    /// Who brought it.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Writes a new one with its picture.
pub async fn insert(conn: &mut Conn, row: &Proof, picture: &[u8]) -> QueryResult<()> {
    let row = (row, proofs::picture.eq(picture));
    diesel::insert_into(proofs::table).values(row).execute(conn).await.map(drop)
}

/// Those of a delivery, the oldest first.
pub async fn of(conn: &mut Conn, delivery: DeliveryId) -> QueryResult<Vec<Proof>> {
    let of = proofs::table.filter(proofs::delivery_id.eq(delivery));
    of.order((proofs::created_at, proofs::id)).select(Proof::as_select()).load(conn).await
}

/// What kind of picture it is, and the picture, if there is one.
pub async fn picture(conn: &mut Conn, id: ProofId) -> QueryResult<Option<(String, Vec<u8>)>> {
    let row = proofs::table.find(id).select((proofs::media_type, proofs::picture));
    row.first(conn).await.optional()
}
