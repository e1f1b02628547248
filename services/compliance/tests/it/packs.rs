//! The evidence of a period, in one file that can be checked without the service.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::LeadCreated;
use bhiv_signing::{JwkSet, PublicKeys};
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use compliance::{Compliance, Config};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::erasures::{answer_all, signing};
use crate::{app, grant, notice};

const LEAD: &str = "lead/0190aaaa-0000-7000-8000-000000000001";

async fn downloaded(app: &TestApp, pack: &Value) -> BTreeMap<String, String> {
    let path = format!("/compliance/packs/{}/zip", pack["id"].as_str().unwrap());
    let request = app.request(reqwest::Method::GET, &path).bearer_auth(app.token(Role::Admin));
    let response = request.send().await.unwrap().error_for_status().unwrap();
    assert_eq!(response.headers()["content-type"], "application/zip");
    let mut zip = ZipArchive::new(Cursor::new(response.bytes().await.unwrap())).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.insert(file.name().unwrap().into_owned(), text);
    }
    files
}

fn lines(files: &BTreeMap<String, String>, name: &str) -> Vec<Value> {
    files[name].lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn today(app: &TestApp) -> Value {
    let today = app.clock.now().date_naive();
    json!({"start_date": today, "end_date": today})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_has_all_of_a_period_and_a_signed_manifest() {
    let app = signing().await;
    notice(&app, "contact", "2027-01").await;
    let consent = grant(&app, LEAD, "contact").await;
    let event = app.event(&LeadCreated { consent_purposes: Vec::new(), ..LeadCreated::sample() });
    app.deliver_twice(&event).await;
    let erasure = app.post("/compliance/erasure", json!({"subject": "lead/2"})).await.expect(202);
    answer_all(&app, &erasure).await;
    app.post("/compliance/breaches", json!({"details": "A lost laptop"})).await.expect(201);

    let made = app.post("/compliance/packs", today(&app)).await;
    let location = made.headers["location"].to_str().unwrap().to_owned();
    let pack = made.expect(201);
    assert_eq!(app.get(&location).await.expect(200), pack);
    assert_eq!(app.get("/compliance/packs").await.expect(200)["items"], json!([pack]));
    assert_eq!(app.audited().await.last().unwrap(), "pack.make");
    // What happens later is none of it.
    grant(&app, "lead/3", "contact").await;

    let files = downloaded(&app, &pack).await;
    let keys: JwkSet = serde_json::from_str(&files["keys.json"]).unwrap();
    let keys = PublicKeys::new(keys);
    let manifest: Value = keys.open("evidence-pack+jwt", &files["manifest.jws"]).unwrap();
    assert_eq!((&manifest["jti"], &manifest["files"]), (&pack["id"], &pack["files"]));
    assert_eq!(manifest["files"].as_array().unwrap().len(), files.len() - 2);
    for file in manifest["files"].as_array().unwrap() {
        let content = &files[file["name"].as_str().unwrap()];
        let digest = Sha256::digest(content);
        let said = file["sha256"].as_str().unwrap();
        let said = (0..said.len()).step_by(2).map(|at| u8::from_str_radix(&said[at..at + 2], 16).unwrap());
        assert_eq!(said.collect::<Vec<_>>(), digest.to_vec(), "{file}");
        assert_eq!(file["bytes"], content.len(), "{file}");
        assert_eq!(file["records"], content.lines().count(), "{file}");
    }
    assert_eq!(lines(&files, "consents.ndjson"), std::slice::from_ref(&consent));
    assert_eq!(lines(&files, "events.ndjson")[0]["event"]["id"], json!(event.id));
    assert_eq!(lines(&files, "verdicts.ndjson")[0]["rules"][0]["id"], "lead-needs-consent");
    assert_eq!(lines(&files, "policies.ndjson").len(), 5);
    assert_eq!(lines(&files, "notices.ndjson")[0]["version"], "2027-01");
    assert_eq!(lines(&files, "erasures.ndjson")[0]["status"], "completed");
    assert_eq!(lines(&files, "duties.ndjson")[0]["details"], "A lost laptop");
    assert_eq!(lines(&files, "report.json")[0]["checks"]["violation"], 1);
    let proofs = lines(&files, "proofs.ndjson");
    assert_eq!((proofs.len(), &proofs[0]["id"], &proofs[1]["id"]), (2, &consent["id"], &erasure["id"]));
    for proof in &proofs {
        keys.open::<Value>(proof["typ"].as_str().unwrap(), proof["jws"].as_str().unwrap()).unwrap();
    }
    assert_eq!(downloaded(&app, &pack).await, files, "it is the same whenever it is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_when_a_person_is_erased_of_whom_they_tell() {
    let app = signing().await;
    grant(&app, "asha@example.com", "contact").await;
    let pack = app.post("/compliance/packs", today(&app)).await.expect(201);
    app.post("/compliance/erasure", json!({"subject": "asha@example.com"})).await.expect(202);
    app.publish_all().await;
    assert_eq!(app.database.rows_with("asha").await, [""; 0]);
    let path = format!("/compliance/packs/{}/zip", pack["id"].as_str().unwrap());
    app.get(&path).await.expect_problem(409, "pack_gone");
    let again = app.post("/compliance/packs", today(&app)).await.expect(201);
    assert!(!downloaded(&app, &again).await["consents.ndjson"].is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_for_their_time_only() {
    let config = |key: &std::path::Path| Config {
        compliance_signing_key_file: Some(key.to_owned()),
        ..Config::default()
    };
    let app = TestApp::start_with::<Compliance>(config).await;
    let pack = app.post("/compliance/packs", today(&app)).await.expect(201);
    app.clock.advance(TimeDelta::days(8));
    // Housekeeping looks once a minute, and at once when the service starts.
    let _other = TestApp::replica_of::<Compliance>(&app, config);
    let path = format!("/compliance/packs/{}", pack["id"].as_str().unwrap());
    app.eventually(async || (app.get(&format!("{path}/zip")).await.status == 409).then_some(())).await;
    assert_eq!(app.get(&path).await.expect(200), pack, "what it was stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_pack_is_refused() {
    let mut keyless = app().await;
    keyless.post("/compliance/packs", today(&keyless)).await.expect_problem(503, "signing_key_missing");
    assert_eq!(keyless.recorded().await, []);
    let app = signing().await;
    let backwards = json!({"start_date": "2027-01-15", "end_date": "2027-01-14"});
    let problem = app.post("/compliance/packs", backwards).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/end_date");
    app.post("/compliance/packs", json!({"start_date": "today"})).await.expect_problem(422, "invalid_input");
    let missing = "/compliance/packs/0190aaaa-0000-7000-8000-0000000000ff";
    app.get(missing).await.expect_problem(404, "not_found");
    app.get(&format!("{missing}/zip")).await.expect_problem(404, "not_found");
    keyless.speak_as(Role::Service);
    let problem = keyless.post("/compliance/packs", today(&keyless)).await;
    assert_eq!(problem.expect_problem(403, "permission_denied")["required_permission"], "compliance:admin");
    let problem = keyless.get(&format!("{missing}/zip")).await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "compliance:admin");
}
