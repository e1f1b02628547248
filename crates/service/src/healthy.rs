use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::Client;

use crate::Error;

/// Readiness is answered at once, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks the service that listens at `address` of the same machine whether it is ready.
///
/// # Errors
/// When it does not answer, or is not; with what it waits for.
pub(crate) async fn healthy(mut address: SocketAddr) -> Result<(), Error> {
    // Where every interface is listened at, loopback is one of them.
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let answer = async {
        let client = Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let answer = client.get(format!("http://{address}/health/ready")).send().await?;
        Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
    };
    match answer.await {
        Ok((status, _)) if status.is_success() => Ok(()),
        Ok((status, body)) => Err(Error::NotReady(format!("{status} {body}"))),
        Err(error) => Err(Error::NotReady(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use actix_web::{App, HttpResponse, HttpServer, web};

    use super::*;

    #[tokio::test]
    async fn it_is_healthy_as_long_as_it_is_ready() {
        let is_ready = Arc::new(AtomicBool::new(true));
        let shown = web::Data::from(Arc::clone(&is_ready));
        let server = HttpServer::new(move || {
            let ready = |is_ready: web::Data<AtomicBool>| async move {
                if is_ready.load(Ordering::Relaxed) {
                    HttpResponse::Ok().body("yes")
                } else {
                    HttpResponse::ServiceUnavailable().body("the database is away")
                }
            };
            App::new().app_data(shown.clone()).route("/health/ready", web::get().to(ready))
        });
        let server = server.workers(1).disable_signals().bind("0.0.0.0:0").unwrap();
        let address = *server.addrs().first().unwrap();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);

        healthy(address).await.unwrap();
        is_ready.store(false, Ordering::Relaxed);
        let fault = healthy(address).await.unwrap_err().to_string();
        assert!(fault.contains("the database is away"), "{fault}");
        handle.stop(false).await;
        healthy(address).await.unwrap_err();
    }
}
