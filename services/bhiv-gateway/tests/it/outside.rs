use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bhiv_testing::{Answer, TestApp};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app_with;
use crate::module::Module;

const ISSUER: &str = "https://login.example.com/";

/// An issuer with keys that can change.
struct Issuer {
    url: String,
    published: Arc<Mutex<JwkSet>>,
    server: ServerHandle,
}

struct Key {
    private: EncodingKey,
    public: Jwk,
}

fn key(id: &str) -> Key {
    let random = aws_lc_rs::rand::SystemRandom::new();
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let private = EncodingKey::from_ec_der(pair.as_ref());
    let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
    public.common.key_id = Some(id.to_owned());
    Key { private, public }
}

impl Issuer {
    async fn start(keys: &[&Key]) -> Self {
        let published = Arc::new(Mutex::new(set(keys)));
        let shown = Arc::clone(&published);
        let server = HttpServer::new(move || {
            let shown = Arc::clone(&shown);
            App::new().route(
                "/jwks",
                web::get().to(move || {
                    let keys = shown.lock().unwrap().clone();
                    async move { HttpResponse::Ok().json(keys) }
                }),
            )
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}/jwks", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, published, server: handle }
    }
}

fn set(keys: &[&Key]) -> JwkSet {
    JwkSet { keys: keys.iter().map(|key| key.public.clone()).collect() }
}

async fn gateway(module: &Module, issuer: &Issuer) -> TestApp {
    let settings = [
        format!("--oidc-issuer={ISSUER}"),
        "--oidc-audience=bhiv-clients".to_owned(),
        format!("--oidc-jwks-url={}", issuer.url),
        "--oidc-roles-claim=realm_access.roles".to_owned(),
        "--oidc-roles=crm-sellers=sales,lookers=viewer".to_owned(),
        "--oidc-team-claim=department".to_owned(),
    ];
    app_with(module, &settings).await
}

fn claims(app: &TestApp) -> Value {
    json!({
        "iss": ISSUER,
        "aud": ["bhiv-clients", "others"],
        "sub": "auth0|ravi",
        "exp": app.clock.now().timestamp() + 300,
        "realm_access": {"roles": ["crm-sellers", "admin"]},
        "roles": ["admin"],
        "department": "north",
    })
}

fn token(key: &Key, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = key.public.common.key_id.clone();
    jsonwebtoken::encode(&header, claims, &key.private).unwrap()
}

async fn ask(app: &TestApp, method: Method, path: &str, token: &str) -> Answer {
    TestApp::read(app.request(method, path).bearer_auth(token).json(&json!({}))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_outside_issuer_is_one_of_ours_with_mapped_roles() {
    let module = Module::start().await;
    let first = key("first");
    let issuer = Issuer::start(&[&first]).await;
    let app = gateway(&module, &issuer).await;
    let theirs = token(&first, &claims(&app));
    let me = ask(&app, Method::GET, "/auth/me", &theirs).await.expect(200);
    assert_eq!((&me["id"], &me["roles"]), (&json!("oidc/auth0|ravi"), &json!(["sales"])));
    assert_eq!(me["team"], "north");
    let seen = ask(&app, Method::POST, "/crm/leads", &theirs).await.expect(200);
    let passed_on = seen["headers"]["authorization"].as_str().unwrap();
    assert!(!passed_on.contains(&theirs), "modules know our tokens only");
    ask(&app, Method::GET, "/auth/users", &theirs).await.expect_problem(403, "permission_denied");
    // The issuer is not asked at each request.
    issuer.server.stop(false).await;
    ask(&app, Method::GET, "/crm/leads", &theirs).await.expect(200);
    ask(&app, Method::GET, "/crm/leads", &token(&first, &claims(&app))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_token_of_the_outside_issuer_is_found() {
    let module = Module::start().await;
    let (first, forged) = (key("first"), key("first"));
    let issuer = Issuer::start(&[&first]).await;
    let app = gateway(&module, &issuer).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims(&app);
        claims[name] = value;
        token(&first, &claims)
    };
    let now = app.clock.now().timestamp();
    for (why, token, code) in [
        ("audience", with("aud", json!("others")), "invalid_token"),
        ("expired", with("exp", json!(now - 60)), "token_expired"),
        ("no expiry", with("exp", json!(null)), "invalid_token"),
        ("not yet", with("nbf", json!(now + 60)), "invalid_token"),
        ("subject", with("sub", json!("")), "invalid_token"),
        ("long subject", with("sub", json!("x".repeat(300))), "invalid_token"),
        ("forged", token(&forged, &claims(&app)), "invalid_token"),
        ("unknown key", token(&key("other"), &claims(&app)), "invalid_token"),
        ("other issuer", with("iss", json!("https://evil.example.com/")), "invalid_token"),
    ] {
        let answer = ask(&app, Method::GET, "/crm/leads", &token).await;
        assert_eq!(answer.body["code"], code, "{why}");
        answer.expect(401);
    }
    // Nobody without a role that stands for something here.
    let nobody = with("realm_access", json!({"roles": ["admin"]}));
    ask(&app, Method::GET, "/crm/leads", &nobody).await.expect_problem(403, "permission_denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_outside_issuer_change() {
    let module = Module::start().await;
    let (first, second) = (key("first"), key("second"));
    let issuer = Issuer::start(&[&first]).await;
    let app = gateway(&module, &issuer).await;
    // It is asked when its keys are first needed, and again for one that it did not have.
    *issuer.published.lock().unwrap() = set(&[&first, &second]);
    ask(&app, Method::GET, "/crm/leads", &token(&second, &claims(&app))).await.expect(200);
    ask(&app, Method::GET, "/crm/leads", &token(&first, &claims(&app))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_keys_nobody_can_tell() {
    let module = Module::start().await;
    let first = key("first");
    let issuer = Issuer::start(&[&first]).await;
    let app = gateway(&module, &issuer).await;
    issuer.server.stop(false).await;
    let answer = ask(&app, Method::GET, "/crm/leads", &token(&first, &claims(&app))).await;
    answer.expect_problem(503, "unavailable");
    app.get("/crm/leads").await.expect(200);
}
