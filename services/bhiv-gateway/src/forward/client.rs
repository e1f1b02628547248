//! The client for modules. It is the one beneath `reqwest`, which reads every address three times and copies every header:
//! a fifth of the instructions that forwarding a small request took.

use std::time::Duration;

use actix_web::web::Bytes;
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::builderstates::WantsSchemes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

/// A connection that takes longer to be made is given up.
const CONNECT: Duration = Duration::from_secs(2);

/// An idle connection to a module is not used any more after this time: well before the module closes it, also one that
/// is leaving and closes it after its `DRAIN_DELAY_MS`. So a request never meets a closing one.
const IDLE: Duration = Duration::from_secs(1);

/// Idle connections that are kept to a module.
const KEPT: usize = 64;

/// The kernel asks so often whether the other side of a silent connection is still there.
const ALIVE: Duration = Duration::from_secs(15);

/// A body that is sent: all of it, or as it arrives.
pub type Sent = Either<Full<Bytes>, StreamBody<ReceiverStream<std::io::Result<Frame<Bytes>>>>>;

/// What a module answers.
pub type Answer = Response<Incoming>;

/// Asks modules. Each worker has one of its own: it keeps connections open, and what begins on a worker ends there.
#[derive(Clone, Debug)]
pub struct Client(legacy::Client<HttpsConnector<HttpConnector>, Sent>);

/// Makes clients.
#[derive(Clone, Debug)]
pub struct Clients(HttpsConnector<HttpConnector>);

impl Clients {
    /// # Errors
    /// When the machine's certificates cannot be used.
    pub fn new() -> Result<Self, String> {
        let builder = HttpsConnectorBuilder::new().try_with_platform_verifier();
        Ok(Self::with(builder.map_err(|error| format!("the client for modules: {error}"))?))
    }

    fn with(builder: HttpsConnectorBuilder<WantsSchemes>) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(ALIVE));
        http.set_keepalive_interval(Some(ALIVE));
        http.set_keepalive_retries(Some(3));
        http.set_connect_timeout(Some(CONNECT));
        Self(builder.https_or_http().enable_all_versions().wrap_connector(http))
    }

    /// One more, without connections.
    pub fn client(&self) -> Client {
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .build(self.0.clone());
        Client(client)
    }
}

impl Client {
    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// When there is no connection, or it ends before.
    pub async fn execute(&self, request: Request<Sent>) -> Result<Answer, legacy::Error> {
        self.0.request(request).await
    }

    /// What is at `uri`, and the status, if all of it comes within `patience`.
    ///
    /// # Errors
    /// Why it did not.
    pub async fn read(&self, uri: Uri, patience: Duration) -> Result<(StatusCode, Bytes), String> {
        let mut request = Request::new(Either::Left(Full::default()));
        *request.uri_mut() = uri;
        let reading = async {
            let answer = self.execute(request).await.map_err(|error| format!("{error:?}"))?;
            let status = answer.status();
            let body = whole(answer.into_body()).await.map_err(|error| error.to_string())?;
            Ok((status, body))
        };
        timeout(patience, reading).await.map_err(|_| format!("no answer within {patience:?}"))?
    }
}

/// All of an answer's body.
///
/// # Errors
/// When the module breaks off.
pub async fn whole(body: Incoming) -> Result<Bytes, hyper::Error> {
    Ok(body.collect().await?.to_bytes())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A module behind TLS, and the certificate that it shows.
    async fn behind_tls() -> (SocketAddr, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                // Whoever does not trust it goes.
                let Ok(mut connection) = acceptor.accept(connection).await else { continue };
                let _ = connection.read(&mut [0; 4096]).await;
                let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe").await;
            }
        });
        (address, certificate)
    }

    #[tokio::test]
    async fn a_module_behind_tls_is_asked_if_its_certificate_is_trusted() {
        let (address, certificate) = behind_tls().await;
        let uri: Uri = format!("https://localhost:{}/crm", address.port()).parse().unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let trusting = Clients::with(HttpsConnectorBuilder::new().with_tls_config(config)).client();
        assert_eq!(trusting.read(uri.clone(), PATIENCE).await.unwrap(), (StatusCode::OK, "safe".into()));

        let others = Clients::new().unwrap().client();
        let why = others.read(uri, PATIENCE).await.unwrap_err();
        assert!(why.contains("Connect") && why.contains("UnknownIssuer"), "{why}");
    }
}
