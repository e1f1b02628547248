//! HTTP byte by byte: a module that does as it is told, and a client that says what no library would say.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bhiv_testing::TestApp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a module does with a request.
#[derive(Clone, Copy)]
pub enum Act {
    /// Says this; the connection stays.
    Say(&'static str),
    /// Says this, and nothing more.
    SayAndStall(&'static str),
    /// Closes the connection without a word.
    Close,
    /// Says nothing until the other side has gone.
    Stall,
}

pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
pub const BAD_GATEWAY: &str =
    "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\nNone";

/// A module that answers its requests as `act` says, which gets their numbers, from 0.
pub struct RawModule {
    pub url: String,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    connections: AtomicUsize,
    left: AtomicUsize,
    heard: Mutex<Vec<String>>,
}

impl RawModule {
    pub async fn start(act: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (log, act) = (Arc::new(Log::default()), Arc::new(act));
        let told = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                told.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&told), Arc::clone(&act)));
            }
        });
        Self { url, log }
    }

    /// As the gateway is told of it.
    pub fn as_crm(&self) -> String {
        format!("--crm-url={}", self.url)
    }

    /// Its requests, head and body as they came.
    pub fn heard(&self) -> Vec<String> {
        self.log.heard.lock().unwrap().clone()
    }

    /// Connections that it has seen.
    pub fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// Connections that the other side closed in the middle.
    pub fn left(&self) -> usize {
        self.log.left.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Log>, act: Arc<impl Fn(usize) -> Act>) {
    loop {
        let Some(request) = read_request(&mut stream, &log).await else { return };
        let number = {
            let mut heard = log.heard.lock().unwrap();
            heard.push(request);
            heard.len() - 1
        };
        let text = match act(number) {
            Act::Say(text) => text,
            Act::Close => return,
            Act::SayAndStall(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                return wait_for_end(stream, &log).await;
            }
            Act::Stall => return wait_for_end(stream, &log).await,
        };
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn wait_for_end(mut stream: TcpStream, log: &Log) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    log.left.fetch_add(1, Ordering::SeqCst);
}

/// A head and its body, however that is delimited; `None` when the connection ends before.
async fn read_request(stream: &mut TcpStream, log: &Log) -> Option<String> {
    let mut text = String::new();
    while !is_whole(&text) {
        let mut chunk = vec![0; 16_384];
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        if read == 0 {
            if !text.is_empty() {
                log.left.fetch_add(1, Ordering::SeqCst);
            }
            return None;
        }
        text.push_str(&String::from_utf8_lossy(&chunk[..read]));
    }
    Some(text)
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse::<usize>().unwrap())
}

/// Sends `request` as it is and reads until the other side closes the connection, which it has to.
pub async fn say(app: &TestApp, request: &str) -> String {
    let mut stream = connect(app).await;
    // It may have refused the beginning already, and closed.
    let _ = stream.write_all(request.as_bytes()).await;
    read_to_end(&mut stream).await
}

pub async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// What comes until the connection ends, for at most half a minute.
pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset ends it, too.
    let reading = async { while stream.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of the answers in `text`, in their order.
pub fn statuses(text: &str) -> Vec<u16> {
    let lines = text.split("HTTP/1.1 ").skip(1);
    lines.map(|line| line[..3].parse().unwrap()).filter(|status| *status != 100).collect()
}
