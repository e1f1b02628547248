use actix_web::HttpResponse;
use actix_web::http::header::X_CONTENT_TYPE_OPTIONS;
use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Download, Id, Picture, Problem, Result, ValidQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::commands::add_proof::AddProof;
use crate::domain::ids::{DeliveryId, ProofId};
use crate::domain::tracking::ProofKind;
use crate::store::delivery;
use crate::store::proof::{self, Proof};

/// What a picture shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatItShows {
    /// What it shows.
    kind: ProofKind,
    /// Who took the delivery, by name.
    #[schema(min_length = 1, max_length = 200)]
    received_by: Option<String>,
}

/// What shows that a delivery arrived.
#[derive(Debug, Serialize, ToSchema)]
pub struct Proofs {
    /// The oldest first.
    items: Vec<Proof>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Id(delivery_id): Id<DeliveryId>,
    ValidQuery(WhatItShows { kind, received_by }): ValidQuery<WhatItShows>,
    Picture { media_type, bytes: picture }: Picture,
    logistics: Data<Context>,
) -> Result<Created<Proof>> {
    let add = AddProof { delivery_id, kind, received_by, media_type, picture };
    let proof = logistics.run(who.origin(), add).await?;
    Ok(Created::at(format!("/logistics/proofs/{}", proof.id), proof))
}

pub async fn list(
    _: Can<LogisticsRead>,
    Id(id): Id<DeliveryId>,
    logistics: Data<Context>,
) -> Result<Json<Proofs>> {
    let mut conn = logistics.read().await?;
    if delivery::find(&mut conn, id).await?.is_none() {
        return Err(Problem::not_found(format!("delivery/{id}")));
    }
    Ok(Json(Proofs { items: proof::of(&mut conn, id).await? }))
}

pub async fn read(_: Can<LogisticsRead>, Id(id): Id<ProofId>, logistics: Data<Context>) -> Result<Download> {
    let found = proof::picture(&mut *logistics.read().await?, id).await?;
    let (media_type, picture) = found.ok_or_else(|| Problem::not_found(format!("proof/{id}")))?;
    let mut answer = HttpResponse::Ok();
    // A browser believes what was checked, and nothing else.
    answer.content_type(media_type).insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    Ok(Download(answer.body(picture)))
}
