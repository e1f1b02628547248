//! The lines of the README do what it says.

use std::collections::BTreeMap;

use bhiv_auth::Role;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::Value;

use crate::erasures::signing;

/// A line: `NAME=$(api POST /path '{...}' | jq -r .id)  # 201`, or without a name.
struct Line<'a> {
    keeps: Option<&'a str>,
    method: Method,
    path: &'a str,
    body: Option<Value>,
    status: u16,
}

fn read(line: &str) -> Option<Line<'_>> {
    let line = line.strip_prefix("    ")?;
    let (keeps, call) = match line.split_once("=$(api ") {
        Some((name, call)) => (Some(name), call),
        None => (None, line.strip_prefix("api ")?),
    };
    let (call, status) = call.rsplit_once("  # ")?;
    let (method, rest) = call.split_once(' ').unwrap();
    let path = rest.split(' ').next().unwrap();
    let body = rest.split_once('\'').map(|(_, body)| body.rsplit_once('\'').unwrap().0);
    Some(Line {
        keeps,
        method: method.parse().unwrap(),
        path: path.trim_end_matches(')'),
        body: body.map(|body| serde_json::from_str(body).unwrap()),
        status: status.trim().parse().unwrap(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_guide_is_answered_as_it_says() {
    let app = signing().await;
    let mut kept: BTreeMap<&str, String> = BTreeMap::new();
    let mut sent = 0;
    for line in include_str!("../../README.md").lines().filter_map(read) {
        let path =
            kept.iter().fold(line.path.to_owned(), |path, (name, id)| path.replace(&format!("${name}"), id));
        let mut request = app.request(line.method, &path).bearer_auth(app.token(Role::Admin));
        if let Some(body) = &line.body {
            request = request.json(body);
        }
        let answer = TestApp::read(request).await;
        assert_eq!(answer.status.as_u16(), line.status, "{path}: {:#}", answer.body);
        if let Some(name) = line.keeps {
            kept.insert(name, answer.body["id"].as_str().unwrap().to_owned());
        }
        sent += 1;
    }
    assert!(sent > 25, "{sent}");
}
