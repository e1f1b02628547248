use actix_web::web::{Data, Json};
use bhiv_web::{FreeForm, MayAnswer, Problem, Public, Result};

use crate::office::Office;

/// Whoever has a signed document may check it, so whoever asks gets the keys: a JWK set (RFC 7517).
pub async fn read(_: Public, _: MayAnswer<503>, office: Data<Office>) -> Result<Json<FreeForm>> {
    let keys = serde_json::to_value(office.keys()?);
    keys.map(|keys| Json(FreeForm(keys))).map_err(|error| Problem::internal(&error))
}
