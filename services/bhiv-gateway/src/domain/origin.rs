//! Whose pages may call from a browser.

use std::str::FromStr;

/// The origin of a page: `https://app.example.com`, with a port if it is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Whether a browser means it by `header`.
    pub fn is(&self, header: &str) -> bool {
        self.0 == header
    }
}

impl FromStr for Origin {
    type Err = String;

    /// As browsers write it: in lower case, and without the port that its scheme has anyway.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let (scheme, host) = lower.split_once("://").unwrap_or_default();
        let host = match scheme {
            "https" => host.strip_suffix(":443").unwrap_or(host),
            "http" => host.strip_suffix(":80").unwrap_or(host),
            _ => "",
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err(format!("'{text}' is not like https://host or https://host:port"));
        }
        Ok(Self(format!("{scheme}://{host}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin: Origin = "https://App.example.com:443".parse().unwrap();
        assert!(origin.is("https://app.example.com"));
        for other in ["http://app.example.com", "https://app.example.com.evil.example", "null", ""] {
            assert!(!origin.is(other), "{other}");
        }
        for bad in ["", "*", "null", "app.example.com", "https://", "https://a/b", "ftp://a", "https://a@b"] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
        assert!("http://[::1]:3000".parse::<Origin>().is_ok());
    }
}
