use actix_web::web::{Data, Json};
use bhiv_auth::Reach;
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_db::Conn;
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, NoContent, Page, Problem, Result, Sort, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::By;
use crate::commands::change_note::ChangeNote;
use crate::commands::delete_note::DeleteNote;
use crate::commands::note_activity::{TakeNote, is_seen};
use crate::domain::activity::{NewNote, NoteChange, Subject};
use crate::store::activity::{self, Activity, Filter, Order};

/// What activities can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum ActivitySort {
    CreatedAt,
    DueAt,
}

/// A field, or its reverse. `due_at` has only those that are to be done at some time.
type ActivityOrder = Sort<ActivitySort>;

/// Which activities, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListActivities {
    /// Those about this record, for example `opportunity/0190...`. Whoever sees only their own and their team's
    /// records has to name one, or asks for what they noted themselves.
    entity: Option<Subject>,
    /// Those of this kind.
    #[schema(min_length = 1, max_length = 40)]
    kind: Option<String>,
    /// Those that this user noted.
    #[schema(min_length = 1, max_length = 100)]
    author: Option<String>,
    /// Those that are to be done and are not, due before then.
    due_before: Option<DateTime<Utc>>,
    /// Those that are done, or those that are not.
    done: Option<bool>,
    /// Those that were noted then or later.
    from: Option<DateTime<Utc>>,
    /// Those that were noted before then.
    until: Option<DateTime<Utc>>,
    /// Those with words that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<ActivityOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<CrmWrite>,
    Valid(new): Valid<NewNote>,
    crm: Data<Context>,
) -> Result<Created<Activity>> {
    let activity = crm.run(who.origin(), TakeNote { new, by: By::from(&*who.caller) }).await?;
    Ok(Created::at(format!("/crm/activities/{}", activity.id), activity))
}

pub async fn list(
    who: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListActivities>,
    crm: Data<Context>,
) -> Result<Json<Page<Activity>>> {
    let ListActivities { entity, kind, mut author, due_before, done, from, until, q, sort, limit, cursor } =
        query;
    let mut conn = crm.read().await?;
    let by = By::from(&*who.caller);
    if let Reach::Own { user, .. } = &by.reach {
        match &entity {
            Some(subject) if !is_seen(&mut conn, subject, &by).await? => {
                return Ok(Json(Page::new(Vec::new(), limit, 0, |activity: &Activity| activity.id)));
            }
            Some(_) => {}
            // What they noted is theirs; what others noted about other records may not be.
            None => author = Some(user.clone()),
        }
    }
    let entity = entity.map(|subject| subject.to_string());
    let Sort { by, descending } = sort.unwrap_or(Sort { by: ActivitySort::CreatedAt, descending: true });
    let has_due = matches!(by, ActivitySort::DueAt);
    let filter = Filter { entity, kind, author, due_before, has_due, done, from, until, text: q, ids: None };
    let order = match by {
        ActivitySort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        ActivitySort::DueAt => Order::DueAt(Cursor::place(cursor)?),
    };
    let place = |activity: &Activity| match by {
        ActivitySort::CreatedAt => Cursor::at(&activity.created_at, activity.id),
        ActivitySort::DueAt => Cursor::at(&activity.due_at, activity.id),
    };
    let total = activity::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = activity::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

/// The activity, if the caller may see what it is about.
async fn seen(conn: &mut Conn, id: Uuid, by: &By) -> Result<Activity> {
    let found = activity::find(conn, id).await?;
    if let Some(activity) = found
        && let Ok(subject) = activity.entity.parse()
        && is_seen(conn, &subject, by).await?
    {
        return Ok(activity);
    }
    Err(Problem::not_found(format!("activity/{id}")))
}

pub async fn read(
    who: Can<CrmRead>,
    Id(id): Id<Uuid>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    crm: Data<Context>,
) -> Result<Json<Activity>> {
    let mut conn = crm.read().await?;
    let activity = seen(&mut conn, id, &By::from(&*who.caller)).await?;
    match as_of {
        Some(at) => history::as_of(&mut conn, &format!("activity/{id}"), at).await.map(Json),
        None => Ok(Json(activity)),
    }
}

pub async fn history(
    who: Can<CrmRead>,
    Id(id): Id<Uuid>,
    ValidQuery(query): ValidQuery<ListHistory>,
    crm: Data<Context>,
) -> Result<Json<Page<Change>>> {
    let mut conn = crm.read().await?;
    seen(&mut conn, id, &By::from(&*who.caller)).await?;
    history::changes(&mut conn, &format!("activity/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<Uuid>,
    Valid(change): Valid<NoteChange>,
    crm: Data<Context>,
) -> Result<Json<Activity>> {
    let by = By::from(&*who.caller);
    Ok(Json(crm.run(who.origin(), ChangeNote { id, change, by }).await?))
}

pub async fn delete(who: Can<CrmWrite>, Id(id): Id<Uuid>, crm: Data<Context>) -> Result<NoContent> {
    let by = By::from(&*who.caller);
    crm.run(who.origin(), DeleteNote { id, by }).await?;
    Ok(NoContent)
}
