//! Where webhooks may go: to the public internet, and nowhere else unless an operator says so.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::{Host, Url};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What is not of the public internet (IANA's registries of special-purpose addresses), and what a cloud provider
/// answers its own machines at. Of IPv6 only 2000::/3 is public at all; see [`is_public`].
static SPECIAL: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    let nets = [
        "0.0.0.0/8",        // this network
        "10.0.0.0/8",       // private
        "100.64.0.0/10",    // carrier-grade NAT
        "127.0.0.0/8",      // loopback
        "168.63.129.16/32", // Azure's host
        "169.254.0.0/16",   // link-local, where clouds have their metadata
        "172.16.0.0/12",    // private
        "192.0.0.0/24",     // IETF protocols
        "192.0.2.0/24",     // documentation
        "192.88.99.0/24",   // 6to4 relays
        "192.168.0.0/16",   // private
        "198.18.0.0/15",    // benchmarks
        "198.51.100.0/24",  // documentation
        "203.0.113.0/24",   // documentation
        "224.0.0.0/4",      // multicast
        "240.0.0.0/4",      // reserved, broadcast
        "2001::/23",        // IETF protocols, Teredo
        "2001:db8::/32",    // documentation
        "2002::/16",        // 6to4: any IPv4 address in disguise
        "3fff::/20",        // documentation
    ];
    nets.iter().filter_map(|net| net.parse().ok()).collect()
});

fn is_public(address: IpAddr) -> bool {
    let is_global = match address {
        IpAddr::V4(_) => true,
        // All else is loopback, local, multicast, NAT64, or not given out.
        IpAddr::V6(address) => address.segments().first().is_some_and(|first| first >> 13 == 1),
    };
    is_global && !SPECIAL.iter().any(|net| net.contains(&address))
}

/// Where a webhook goes: `https://` or `http://`, without user, password and fragment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallbackUrl(Url);

impl CallbackUrl {
    /// The URL, as it is sent to.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its host, which may be told where the rest may not: the path of a webhook often is a secret.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl TryFrom<String> for CallbackUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = Url::parse(&text).map_err(|error| format!("is no URL: {error}"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("must begin with https://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user or a password".to_owned());
        }
        if url.fragment().is_some() {
            return Err("must not hold a fragment".to_owned());
        }
        Ok(Self(url))
    }
}

impl From<CallbackUrl> for String {
    fn from(CallbackUrl(url): CallbackUrl) -> Self {
        url.into()
    }
}

impl ToSchema for CallbackUrl {}

impl PartialSchema for CallbackUrl {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uri".to_owned())))
            .description(Some("Where it is sent with POST: https, and an address of the public internet."))
            .max_length(Some(2000))
            .into()
    }
}

/// Where webhooks may go.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Whether `http://` is allowed.
    pub allow_http: bool,
    /// Networks that are allowed although they are not public.
    pub networks: Vec<IpNet>,
}

impl Targets {
    /// Whether a webhook may connect to `address`.
    pub fn allow(&self, address: IpAddr) -> bool {
        // What is IPv4 in disguise (`::ffff:10.0.0.1`) is judged as what it is.
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|net| net.contains(&address))
    }

    /// Checks what can be known without asking what the host's name stands for.
    ///
    /// # Errors
    /// Why it may not be sent to.
    pub fn check(&self, CallbackUrl(url): &CallbackUrl) -> Result<(), &'static str> {
        if url.scheme() != "https" && !self.allow_http {
            return Err("must begin with https://");
        }
        // The URL parser has read `0x7f.1`, `2130706433` and the like as the addresses that they are.
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::from(address),
            Some(Host::Ipv6(address)) => IpAddr::from(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err("names no host"),
        };
        if self.allow(address) { Ok(()) } else { Err("must be an address of the public internet") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(targets: &Targets, url: &str) -> Result<(), String> {
        let url = CallbackUrl::try_from(url.to_owned())?;
        targets.check(&url).map_err(str::to_owned)
    }

    #[test]
    fn only_the_public_internet_is_sent_to() {
        let targets = Targets::default();
        for url in [
            "https://example.com/hook?x=1",
            "https://example.com:8443",
            "https://93.184.215.14/",
            "https://11.0.0.1",
            "https://100.63.255.255",
            "https://100.128.0.1",
            "https://172.15.0.1",
            "https://172.32.0.1",
            "https://192.167.1.1",
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
            "https://[::ffff:93.184.215.14]/",
        ] {
            assert_eq!(check(&targets, url), Ok(()), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused_however_it_is_spelt() {
        let targets = Targets { allow_http: true, ..Targets::default() };
        for host in [
            "127.0.0.1",
            "127.1",
            "127.255.255.254",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "127。0。0。1",
            "①②⑦.⓪.⓪.①",
            "0.0.0.0",
            "0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "0xa.1",
            "167772161",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.168.1",
            "3232235777",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "0251.0376.0251.0376",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "168.63.129.16",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:0:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:a9fe:a9fe::]",
            "[3fff::1]",
            "[5f00::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[4000::1]",
        ] {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{host}/");
                assert!(check(&targets, &url).is_err(), "{url}");
            }
        }
    }

    #[test]
    fn an_operator_opens_networks_and_plain_http() {
        let networks = vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let targets = Targets { allow_http: true, networks };
        for url in ["http://127.0.0.1:9000/", "http://[::ffff:127.0.0.1]/", "https://[fd00::1]/"] {
            assert_eq!(check(&targets, url), Ok(()), "{url}");
        }
        assert!(check(&targets, "http://10.0.0.1/").is_err());
        let only_https = Targets { allow_http: false, ..targets };
        assert!(check(&only_https, "http://127.0.0.1/").is_err());
    }

    #[test]
    fn what_is_no_plain_address_of_the_web_is_refused() {
        for url in [
            "",
            "example.com",
            "/hook",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "https://user@example.com/",
            "https://user:word@example.com/",
            "https://:word@example.com/",
            "https://example.com/#part",
            "https://",
            "https://exa mple.com/",
            "https://[::1/",
            "javascript:1",
            "https://999.1.1.1/",
        ] {
            assert!(CallbackUrl::try_from(url.to_owned()).is_err(), "{url}");
        }
    }
}
