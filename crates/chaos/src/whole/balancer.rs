use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Result;

/// What a Service does in Kubernetes: one address; each new connection goes to one of the ready replicas in turn, and stays
/// with it.
#[derive(Debug)]
pub(super) struct Balancer {
    pub url: String,
    endpoints: watch::Sender<Vec<SocketAddr>>,
    accepting: JoinHandle<()>,
}

impl Balancer {
    pub(super) async fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (endpoints, known) = watch::channel(Vec::new());
        let accepting = tokio::spawn(async move {
            let mut turn = 0_usize;
            while let Ok((client, _)) = listener.accept().await {
                turn = turn.wrapping_add(1);
                let chosen = {
                    let known: watch::Ref<'_, Vec<SocketAddr>> = known.borrow();
                    known.get(turn.checked_rem(known.len()).unwrap_or(0)).copied()
                };
                if let Some(replica) = chosen {
                    tokio::spawn(pass(client, replica));
                }
            }
        });
        Ok(Self { url, endpoints, accepting })
    }

    /// New connections may go there.
    pub(super) fn add(&self, replica: SocketAddr) {
        self.endpoints.send_modify(|known| known.push(replica));
    }

    /// New connections go there no more.
    pub(super) fn remove(&self, replica: SocketAddr) {
        self.endpoints.send_modify(|known| known.retain(|other| *other != replica));
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut client: TcpStream, replica: SocketAddr) {
    if let Ok(mut replica) = TcpStream::connect(replica).await {
        // As a packet filter does it: what one side says reaches the other one, the end too.
        let _ = (client.set_nodelay(true), replica.set_nodelay(true));
        let _ = copy_bidirectional(&mut client, &mut replica).await;
    }
}
