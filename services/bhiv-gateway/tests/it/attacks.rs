//! Known attacks on tokens, through the front door.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bhiv_auth::Role;
use bhiv_testing::TestApp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;
use crate::module::Module;

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn opened(token: &str) -> (Value, Value, String) {
    let mut parts = token.split('.');
    let mut json = || {
        let text = BASE64_URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()
    };
    let (header, claims) = (json(), json());
    (header, claims, parts.next().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_are_refused() {
    let module = Module::start().await;
    let app = app(&module).await;
    let good = app.token(Role::Viewer);
    let (header, claims, signature) = opened(&good);
    let keys = TestApp::read(app.request(Method::GET, "/.well-known/jwks.json")).await.expect(200);
    let public = keys["keys"][0].clone();

    let with_header = |change: Value| {
        let mut header = header.clone();
        for (name, value) in change.as_object().unwrap() {
            header[name] = value.clone();
        }
        format!("{}.{}.{signature}", part(&header), part(&claims))
    };
    let with_claim = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        format!("{}.{}.{signature}", part(&header), part(&claims))
    };
    let unsigned = |algorithm: &str| {
        let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": header["kid"]});
        let claims = json!({"sub": "x", "iss": "bhiv-gateway", "aud": "bhiv", "exp": 4_000_000_000_u32, "iat": 0,
            "roles": ["admin"]});
        format!("{}.{}.", part(&header), part(&claims))
    };
    // The public key as a shared secret, in the forms in which somebody may have it.
    let confused = |secret: &[u8]| {
        let mut made = Header::new(Algorithm::HS256);
        made.kid = header["kid"].as_str().map(str::to_owned);
        made.typ = Some("at+jwt".to_owned());
        jsonwebtoken::encode(&made, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let raw = BASE64_URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();

    let mut forged = vec![
        ("more roles", with_claim("roles", json!(["admin"]))),
        ("longer", with_claim("exp", json!(4_000_000_000_u32))),
        ("other subject", with_claim("sub", json!("admin-1"))),
        ("other audience", with_claim("aud", json!(["bhiv", "x"]))),
        ("no algorithm", with_header(json!({"alg": "none"}))),
        ("HS256", with_header(json!({"alg": "HS256"}))),
        ("RS256", with_header(json!({"alg": "RS256"}))),
        ("no type", with_header(json!({"typ": "JWT"}))),
        ("key confusion, JSON", confused(public.to_string().as_bytes())),
        ("key confusion, raw", confused(&raw)),
        ("key confusion, text", confused(public["x"].as_str().unwrap().as_bytes())),
        ("empty secret", confused(b"")),
        ("its own key", with_header(json!({"jwk": public}))),
        ("a key from elsewhere", with_header(json!({"jku": "http://127.0.0.1:1/jwks.json"}))),
        ("a chain from elsewhere", with_header(json!({"x5u": "http://127.0.0.1:1/x.pem"}))),
        ("no signature", good.rsplit_once('.').unwrap().0.to_owned() + "."),
        ("two parts", good.rsplit_once('.').unwrap().0.to_owned()),
        ("four parts", format!("{good}.x")),
        ("five parts", "a.b.c.d.e".to_owned()),
        ("not a token", "token".to_owned()),
    ];
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        forged.push(("unsigned", unsigned(algorithm)));
    }
    for kid in ["", "../../../../dev/null", "/dev/null", "x' UNION SELECT 'x", "\u{0}", "other", "*"] {
        forged.push(("kid", with_header(json!({"kid": kid}))));
    }
    forged.push(("kid is no text", with_header(json!({"kid": {"a": 1}}))));
    forged.push(("no kid", with_header(json!({"kid": null}))));
    for (why, token) in forged {
        let answer = TestApp::read(app.request(Method::GET, "/crm/leads").bearer_auth(&token)).await;
        assert_eq!(answer.body["code"], "invalid_token", "{why}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{why}");
        answer.expect(401);
    }
    // Nothing of it has harmed the good one.
    let answer = app.request(Method::GET, "/crm/leads").bearer_auth(&good);
    TestApp::read(answer).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_into_its_header_and_nowhere_else() {
    let module = Module::start().await;
    let app = app(&module).await;
    let token = app.token(Role::Admin);
    for request in [
        app.request(Method::GET, &format!("/crm/leads?access_token={token}")),
        app.request(Method::GET, "/crm/leads").header("cookie", format!("access_token={token}")),
        app.request(Method::GET, "/crm/leads").header("authorization", format!("Basic {token}")),
        app.request(Method::GET, "/crm/leads").header("authorization", token.clone()),
    ] {
        TestApp::read(request).await.expect_problem(401, "missing_token");
    }
}
