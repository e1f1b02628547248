//! What the gateway stands between.

use actix_web::dev::ServerHandle;
use bhiv_db::Conn;

use super::nginx::Nginx;
use super::{bare, plain};
use crate::Result;
use crate::http::stop_relay;
use crate::service::{COMPLIANCE, CRM, GATEWAY, Service, keys};
use crate::stack::Stack;

pub const CRM_AT: &str = "127.0.0.1:29661";
pub const COMPLIANCE_AT: &str = "127.0.0.1:29662";
/// A gateway that keeps no answers.
pub const GATEWAY_AT: &str = "127.0.0.1:29663";
/// One that does.
pub const KEEPING_AT: &str = "127.0.0.1:29664";
/// A module that does nothing: task's, for the gateways.
pub const PLAIN_AT: &str = "127.0.0.1:29665";
/// NGINX before crm, and before the module that does nothing.
pub const NGINX_AT: &str = "127.0.0.1:29666";
pub const NGINX_PLAIN_AT: &str = "127.0.0.1:29667";

/// A proxy of actix-web and reqwest before them.
pub const BARE_AT: &str = "127.0.0.1:29668";
pub const BARE_PLAIN_AT: &str = "127.0.0.1:29669";

/// As many of the gateway, of NGINX and of the proxy beside it.
pub const WORKERS: usize = 2;

/// Services, two replicas of the gateway, and NGINX.
pub struct Town {
    crm: Service,
    compliance: Service,
    gateway: Service,
    keeping: Service,
    nginx: Nginx,
    plain: ServerHandle,
    bare: [ServerHandle; 2],
    relay: Option<Conn>,
}

impl Town {
    /// On empty tables. crm's events stay in its outbox until they are let go.
    pub async fn start(stack: &Stack) -> Result<Self> {
        let relay = stop_relay(stack).await?;
        for kind in [CRM, COMPLIANCE, GATEWAY] {
            Service::set_up(stack, kind).await?;
        }
        let plain = plain::serve(PLAIN_AT)?;
        let bare = [bare::serve(BARE_AT, CRM_AT)?, bare::serve(BARE_PLAIN_AT, PLAIN_AT)?];
        let nginx = Nginx::start(stack, WORKERS, &[(NGINX_AT, CRM_AT), (NGINX_PLAIN_AT, PLAIN_AT)]).await?;
        Ok(Self {
            crm: Service::start(stack, CRM, CRM_AT, &[]).await?,
            compliance: Service::start(stack, COMPLIANCE, COMPLIANCE_AT, &[]).await?,
            gateway: gateway(stack, GATEWAY_AT, "0").await?,
            keeping: gateway(stack, KEEPING_AT, "300").await?,
            nginx,
            plain,
            bare,
            relay: Some(relay),
        })
    }

    /// crm's events go out from now on.
    pub fn let_events_go(&mut self) {
        self.relay = None;
    }

    /// The gateway that keeps answers, with the memory of a fresh one.
    pub async fn fresh(&mut self, stack: &Stack) -> Result<&Service> {
        self.keeping.end().await?;
        self.keeping = gateway(stack, KEEPING_AT, "300").await?;
        Ok(&self.keeping)
    }

    pub async fn stop(self) -> Result {
        for mut service in [self.gateway, self.keeping, self.compliance, self.crm] {
            service.end().await?;
        }
        for server in self.bare.into_iter().chain([self.plain]) {
            server.stop(false).await;
        }
        self.nginx.stop().await
    }
}

async fn gateway(stack: &Stack, address: &str, cache_seconds: &str) -> Result<Service> {
    let (key, _) = keys(stack)?;
    let settings = [
        ("SIGNING_KEY_FILE", key.display().to_string()),
        ("REDIS_URL", stack.redis_url.expose().to_owned()),
        ("REDIS_PREFIX", "bench".to_owned()),
        ("CRM_URL", format!("http://{CRM_AT}")),
        ("COMPLIANCE_URL", format!("http://{COMPLIANCE_AT}")),
        ("TASK_URL", format!("http://{PLAIN_AT}")),
        ("CACHE_SECONDS", cache_seconds.to_owned()),
        ("HTTP_WORKERS", WORKERS.to_string()),
        // Users are counted, and never too many.
        ("RATE_LIMITS", "address=1000000/s,user=1000000/s,admin=none".to_owned()),
    ];
    Service::start(stack, GATEWAY, address, &settings).await
}
