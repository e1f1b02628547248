//! Who may do what: every operation of every module, asked through the gateway in every role.

use std::collections::BTreeSet;
use std::path::Path;

use bhiv_auth::{Access, Module as Owner, Permission, Role, grants};
use bhiv_testing::TestApp;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;

use crate::app_with;
use crate::module::Module;

/// What keeps a caller out at the gateway; other problems come from behind it.
const DENIALS: [&str; 4] = ["missing_token", "invalid_token", "token_expired", "permission_denied"];

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What the gateway asks for where the owner asks for `permission`: it leaves administering to the owner.
fn at_the_gateway(method: &str, permission: &str) -> String {
    match permission.strip_suffix(":admin").filter(|module| *module != "gateway") {
        Some(module) => format!("{module}:{}", if method == "get" { "read" } else { "write" }),
        None => permission.to_owned(),
    }
}

/// What an operation needs: nothing, a token, or a token with a permission.
#[derive(Clone, Debug, PartialEq)]
enum Needs {
    Nothing,
    Token,
    Permission(String),
}

#[derive(Debug)]
struct Operation {
    method: Method,
    path: String,
    needs: Needs,
}

fn document() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs/openapi/merged.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Those of the document, and for each path of a module the methods that it has not, which are denied like changes.
fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, documented) in document["paths"].as_object().unwrap() {
        let concrete = concrete(path);
        let mut permissions = Vec::new();
        for (method, operation) in documented.as_object().unwrap() {
            let needs = match operation.pointer("/security/0/bearer") {
                None => Needs::Nothing,
                Some(scopes) => match scopes.as_array().unwrap().first() {
                    None => Needs::Token,
                    Some(scope) => Needs::Permission(at_the_gateway(method, scope.as_str().unwrap())),
                },
            };
            if let Needs::Permission(permission) = &needs {
                permissions.push(permission.clone());
            }
            operations.push(Operation { method: read_method(method), path: concrete.clone(), needs });
        }
        // Permissions of one path are of one module.
        let Some((module, _)) = permissions.first().and_then(|permission| permission.split_once(':')) else {
            continue;
        };
        if module == "gateway" {
            continue;
        }
        for method in METHODS.iter().filter(|method| documented.get(**method).is_none()) {
            // Searches are kept by whoever may read: there nothing asks for more.
            let is_read = *method == "get" || path.starts_with("/logs/searches");
            let access = if is_read { "read" } else { "write" };
            let needs = Needs::Permission(format!("{module}:{access}"));
            operations.push(Operation { method: read_method(method), path: concrete.clone(), needs });
        }
    }
    operations
}

fn read_method(method: &str) -> Method {
    method.to_ascii_uppercase().parse().unwrap()
}

fn concrete(path: &str) -> String {
    let words = path
        .split('/')
        .map(|word| if word.starts_with('{') { "0190aaaa-0000-7000-8000-000000000001" } else { word });
    words.collect::<Vec<_>>().join("/")
}

/// Whether the table of roles grants `<module>:<access>`.
fn may(role: Role, permission: &str) -> bool {
    let owners = [
        Owner::Crm,
        Owner::Logistics,
        Owner::Task,
        Owner::Compliance,
        Owner::Rl,
        Owner::Logging,
        Owner::Gateway,
    ];
    let all = owners.iter().flat_map(|module| {
        [Access::Read, Access::Write, Access::Admin].map(|access| Permission { module: *module, access })
    });
    let wanted = all.into_iter().find(|known| known.to_string() == permission).unwrap();
    grants(role, wanted.module).is_some_and(|granted| granted >= wanted.access)
}

/// A caller: a name for messages, a token if there is one, and the role that it stands for.
struct Caller {
    name: &'static str,
    token: Option<String>,
    role: Option<Role>,
}

fn callers(app: &TestApp) -> Vec<Caller> {
    let roles =
        Role::ALL.map(|role| Caller { name: role.name(), token: Some(app.token(role)), role: Some(role) });
    let (head, tail) = app.token(Role::Admin).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.len())).unwrap();
    let mut callers = Vec::from(roles);
    callers.push(Caller { name: "anonymous", token: None, role: None });
    callers.push(Caller { name: "garbage", token: Some("garbage".to_owned()), role: None });
    callers.push(Caller { name: "forger", token: Some(format!("{head}.{}", "A".repeat(tail))), role: None });
    callers
}

/// Why the gateway keeps the caller out, or `None` if it lets them in.
async fn denial(app: &TestApp, method: &Method, path: &str, token: Option<&str>) -> Option<String> {
    let mut request = app.request(method.clone(), path);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    if !matches!(status, 401 | 403) {
        return None;
    }
    let problem: Value = answer.json().await.unwrap();
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!(status == 403, code == "permission_denied" || !DENIALS.contains(&code.as_str()), "{problem}");
    let permission = problem["required_permission"].as_str().unwrap_or_default();
    DENIALS.contains(&code.as_str()).then(|| format!("{code} {permission}").trim_end().to_owned())
}

fn expected(needs: &Needs, caller: &Caller) -> Option<String> {
    match (needs, caller.role) {
        (Needs::Nothing, _) | (Needs::Token, Some(_)) => None,
        (_, None) if caller.token.is_none() => Some("missing_token".to_owned()),
        (_, None) => Some("invalid_token".to_owned()),
        (Needs::Permission(permission), Some(role)) => {
            (!may(role, permission)).then(|| format!("permission_denied {permission}"))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_open_to_those_whom_the_table_names() {
    let module = Module::start().await;
    let app = app_with(&module, &["--rate-limits=address=none,user=none".to_owned()]).await;
    let callers = callers(&app);
    let mut wrong = BTreeSet::new();
    let mut asked = 0;
    for Operation { method, path, needs } in operations(&document()) {
        let answers = callers.iter().map(|caller| denial(&app, &method, &path, caller.token.as_deref()));
        for (caller, found) in callers.iter().zip(join_all(answers).await) {
            asked += 1;
            let wanted = expected(&needs, caller);
            if found != wanted {
                wrong.insert(format!("{method} {path} as {}: {found:?}, not {wanted:?}", caller.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(asked > 800, "{asked} requests are not all operations in all roles");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rule_names_is_open_to_nobody() {
    let module = Module::start().await;
    let app = app_with(&module, &["--rate-limits=address=none,user=none".to_owned()]).await;
    for path in [
        "/nothing",
        "/crmx/leads",
        "/CRM/leads",
        "/internal/crm/leads",
        "/bhiv",
        "/bhiv/nothing",
        "/metricsx",
        "/health/x",
        "/.well-known/x",
        "/docsx",
        "/%63rm/leads",
        "/nothing/../crm/leads",
    ] {
        // By hand, or the client would make the path another one.
        for method in [Method::GET, Method::POST, Method::DELETE] {
            for caller in callers(&app) {
                let (status, passed) = raw(&app, &method, path, caller.token.as_deref()).await;
                let name = caller.name;
                assert!(!passed, "{method} {path} as {name} came to a module");
                assert!(matches!(status, 400 | 404), "{method} {path} as {name}: {status}");
            }
        }
    }
}

/// Status of the answer, and whether a module gave it.
async fn raw(app: &TestApp, method: &Method, path: &str, token: Option<&str>) -> (u16, bool) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = app.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{token}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.to_ascii_lowercase().contains("x-module: echo"))
}
