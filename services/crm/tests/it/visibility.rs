//! Sellers see their own and their team's records, and nobody's; managers all.

use bhiv_auth::Role;
use reqwest::Method;
use serde_json::json;

use crate::{Seller, app, path};

#[tokio::test(flavor = "multi_thread")]
async fn sellers_see_their_own_their_teams_and_nobodys() {
    let app = app().await;
    let seller = |user: &str, team: &str| Seller::new(&app, user, Some(team).filter(|team| !team.is_empty()));
    let (ravi, asha, meera) = (seller("ravi", "north"), seller("asha", "north"), seller("meera", ""));
    for list in ["leads", "contacts", "accounts"] {
        let at = format!("/crm/{list}");
        let new = |name: &str| json!({"name": name, "email": format!("{name}@example.com")});
        let new = |name: &str| {
            let mut new = new(name);
            if list == "accounts" {
                new.as_object_mut().unwrap().remove("email");
            }
            new
        };
        let his = ravi.post(&at, new("ravis")).await.expect(201);
        assert_eq!((&his["owner"], &his["team"]), (&json!("ravi"), &json!("north")));
        meera.post(&at, new("meeras")).await.expect(201);
        let nobodys = app.post(&at, new("nobodys")).await.expect(201);
        let pool = json!({"owner": null, "team": null});
        app.patch(&path(list, &nobodys), pool).await.expect(200);

        let sorted = format!("{at}?sort=name");
        assert_eq!(ravi.names(&sorted).await, ["nobodys", "ravis"]);
        assert_eq!(asha.names(&sorted).await, ["nobodys", "ravis"], "{list}: the team's");
        assert_eq!(meera.names(&sorted).await, ["meeras", "nobodys"]);
        assert_eq!(app.get(&at).await.expect(200)["total"], 3, "a manager sees all");
        assert_eq!(meera.names(&format!("{at}?q=ravis")).await, Vec::<String>::new());
        assert_eq!(meera.names(&format!("{at}?owner=ravi")).await, Vec::<String>::new());

        let path = path(list, &his);
        for hidden in [path.clone(), format!("{path}/history"), format!("{path}?as_of=2100-01-01T00:00:00Z")]
        {
            meera.get(&hidden).await.expect_problem(404, "not_found");
            asha.get(&hidden).await.expect(200);
        }
        meera.patch(&path, json!({"name": "mine"})).await.expect_problem(404, "not_found");
        let bulk = json!({"ids": [his["id"]], "change": {"name": "mine"}});
        let answer = meera.post(&format!("{at}/bulk"), bulk).await.expect(200);
        assert_eq!(answer["results"][0]["status"], 404);
        assert_eq!(asha.patch(&path, json!({"name": "ours"})).await.expect(200)["name"], "ours");
        // Whoever hands a record over may lose sight of it.
        ravi.patch(&path, json!({"owner": "meera", "team": null})).await.expect(200);
        ravi.get(&path).await.expect_problem(404, "not_found");
        meera.get(&path).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_hidden_record_is_hidden() {
    let app = app().await;
    let ravi = Seller { app: &app, token: app.token_of("ravi", Role::Sales) };
    let meera = Seller { app: &app, token: app.token_of("meera", Role::Sales) };
    let new = json!({"name": "Asha", "email": "asha@example.com"});
    let lead = ravi.post("/crm/leads", new.clone()).await.expect(201);
    let opportunity = json!({"lead_id": lead["id"], "value": 1, "name": "his"});
    meera.post("/crm/opportunities", opportunity.clone()).await.expect_problem(422, "unknown_reference");
    let opportunity = ravi.post("/crm/opportunities", opportunity).await.expect(201);
    assert_eq!(opportunity["owner"], "ravi");
    meera.get(&path("opportunities", &opportunity)).await.expect_problem(404, "not_found");
    let stage = format!("{}/stage", path("opportunities", &opportunity));
    let moved = meera.send(Method::PUT, &stage, Some(json!({"stage": "won"}))).await;
    moved.expect_problem(404, "not_found");
    assert_eq!(meera.names("/crm/opportunities").await, Vec::<String>::new());
    let pipeline =
        async |seller: &Seller<'_>| seller.get("/crm/pipeline").await.expect(200)["stages"].clone();
    assert_eq!(pipeline(&meera).await, json!([]));
    assert_eq!(pipeline(&ravi).await[0]["count"], 1);

    let entity = format!("lead/{}", lead["id"].as_str().unwrap());
    let note = json!({"entity": entity, "kind": "call", "summary": "called"});
    meera.post("/crm/activities", note.clone()).await.expect_problem(422, "unknown_reference");
    let note = ravi.post("/crm/activities", note).await.expect(201);
    let listed = format!("/crm/activities?entity={entity}");
    assert_eq!(meera.get(&listed).await.expect(200)["total"], 0);
    assert_eq!(meera.get("/crm/activities").await.expect(200)["total"], 0);
    assert_eq!(ravi.get("/crm/activities").await.expect(200)["total"], 1);
    meera.get(&path("activities", &note)).await.expect_problem(404, "not_found");
    meera.patch(&path("activities", &note), json!({"done": true})).await.expect_problem(404, "not_found");
    let convert = format!("{}/convert", path("leads", &lead));
    meera.post(&convert, json!({})).await.expect_problem(404, "not_found");

    // That somebody else has the same person is said, and not who that is.
    let again = meera.post("/crm/leads", new).await.expect(201);
    assert_eq!(again["duplicates"][0]["other_id"], lead["id"]);
    meera
        .post(&format!("{}/merge", path("leads", &again)), json!({"from": lead["id"]}))
        .await
        .expect_problem(422, "unknown_reference");
}

/// What a seller's importer makes is the seller's, as if they had made it themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a_sellers_machine_works_with_the_sellers_records() {
    let app = app().await;
    let token = app.token_of_machine("key/7", "ravi", Role::Sales);
    let (machine, ravi) = (Seller { app: &app, token }, Seller::new(&app, "ravi", None));
    let asha = Seller::new(&app, "asha", None);
    let new = |name: &str| json!({"name": name, "email": format!("{name}@example.com")});
    ravi.post("/crm/leads", new("his")).await.expect(201);
    asha.post("/crm/leads", new("hers")).await.expect(201);
    let made = machine.post("/crm/leads", new("imported")).await.expect(201);
    assert_eq!(made["owner"], "ravi");
    assert_eq!(machine.names("/crm/leads?sort=name").await, ["his", "imported"]);
    assert_eq!(ravi.names("/crm/leads?sort=name").await, ["his", "imported"]);
    assert_eq!(asha.names("/crm/leads").await, ["hers"]);
}
