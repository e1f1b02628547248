//! Stands for a gateway where a test has to see, or to do, what a gateway would hide.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

/// It reads the head of one request on each connection, and leaves the rest to the test.
pub struct StandIn {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    open: usize,
}

impl StandIn {
    /// `serve` gets the connection and what was read: a head, and perhaps the begin of a body.
    pub async fn start<F>(serve: impl Fn(TcpStream, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, serve) = (Arc::<Mutex<State>>::default(), Arc::new(serve));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let (state, serve) = (Arc::clone(&shared), Arc::clone(&serve));
                tokio::spawn(async move {
                    let Some(head) = head(&mut connection).await else { return };
                    {
                        let mut state = state.lock().unwrap();
                        state.lines.push(head.lines().next().unwrap().to_owned());
                        state.open += 1;
                    }
                    serve(connection, head).await;
                    state.lock().unwrap().open -= 1;
                });
            }
        });
        Self { address, state }
    }

    /// How many requests have begun with this.
    pub fn seen(&self, begin: &str) -> usize {
        self.state.lock().unwrap().lines.iter().filter(|line| line.starts_with(begin)).count()
    }

    /// How many are being served.
    pub fn open(&self) -> usize {
        self.state.lock().unwrap().open
    }
}

async fn head(connection: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("\r\n\r\n") {
        if connection.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&read).into_owned())
}
