use std::io::{Cursor as Bytes, Write as _};

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition};
use actix_web::web::{self, Data, Json};
use bhiv_auth::require::{ComplianceAdmin, ComplianceRead};
use bhiv_service::Context;
use bhiv_web::{
    Can, Created, Cursor, Download, Id, Limit, MayAnswer, Page, Problem, Result, Valid, ValidQuery,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::commands::make_pack::MakePack;
use crate::domain::pack::{Manifest, NewPack};
use crate::error::PACK_GONE;
use crate::office::{Office, PACK};
use crate::store::pack::{self, Pack};

/// How many packs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPacks {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn make(
    who: Can<ComplianceAdmin>,
    _: MayAnswer<409>,
    _: MayAnswer<503>,
    Valid(new): Valid<NewPack>,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Created<Pack>> {
    let office = Office::clone(&office);
    office.keys()?;
    let pack = compliance.run(who.origin(), MakePack { new, office }).await?;
    Ok(Created::at(format!("/compliance/packs/{}", pack.id), pack))
}

pub async fn list(
    _: Can<ComplianceRead>,
    ValidQuery(ListPacks { limit, cursor }): ValidQuery<ListPacks>,
    compliance: Data<Context>,
) -> Result<Json<Page<Pack>>> {
    let mut conn = compliance.read().await?;
    let found = pack::list(&mut conn, Cursor::id(cursor), limit.and_one()).await?;
    let total = pack::count(&mut conn).await?;
    Ok(Json(Page::new(found, limit, total, |pack| pack.id)))
}

pub async fn read(_: Can<ComplianceRead>, Id(id): Id<Uuid>, compliance: Data<Context>) -> Result<Json<Pack>> {
    let pack = pack::find(&mut *compliance.read().await?, id).await?;
    pack.map(Json).ok_or_else(|| Problem::not_found(format!("pack/{id}")))
}

/// The pack as one file: its files, the signed manifest, and the public keys of now.
pub async fn download(
    _: Can<ComplianceAdmin>,
    _: MayAnswer<409>,
    _: MayAnswer<503>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Download> {
    let mut conn = compliance.read().await?;
    let found = pack::find(&mut conn, id).await?.ok_or_else(|| Problem::not_found(format!("pack/{id}")))?;
    let mut files = pack::files(&mut conn, id).await?;
    drop(conn);
    if files.len() != found.files.0.len() {
        let says = "its time is over, or a person of whom it told was erased: make another one";
        return Err(Problem::new(PACK_GONE, says));
    }
    let manifest = Manifest {
        iss: office.controller.clone(),
        jti: found.id,
        iat: found.created_at.timestamp(),
        start_date: found.start_date,
        end_date: found.end_date,
        created_by: found.created_by,
        created_at: found.created_at,
        files: found.files,
    };
    files.push(("manifest.jws".to_owned(), office.seal(PACK, &manifest)?.jws));
    let keys = serde_json::to_string(&office.keys()?).map_err(|error| Problem::internal(&error))?;
    files.push(("keys.json".to_owned(), keys));
    // Deflating takes its time: not on the thread that answers requests.
    let zipped = web::block(move || zipped(&files)).await.map_err(|error| Problem::internal(&error))?;
    let zipped = zipped.map_err(|error| Problem::internal(&error))?;
    let name = ContentDisposition::attachment(format!("evidence-{id}.zip"));
    let mut answer = HttpResponse::Ok();
    Ok(Download(
        answer.content_type("application/zip").insert_header((CONTENT_DISPOSITION, name)).body(zipped),
    ))
}

fn zipped(files: &[(String, String)]) -> ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Bytes::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in files {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(content.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
