//! What a browser says in `Sec-WebSocket-Protocol`, as it cannot set other headers of a WebSocket.

/// What is spoken on `/ws`.
pub const PROTOCOL: &str = "bhiv.v1";

/// The token in a list like `bhiv.v1, bearer.<token>`. A JWT has only characters that a subprotocol may have.
pub fn token(offered: &str) -> Option<&str> {
    offered.split(',').find_map(|protocol| protocol.trim().strip_prefix("bearer."))
}

/// Whether a page at `origin`, for example `https://app.example`, was served by the host that is asked, for
/// example `app.example:443`. Its scheme does not count: a proxy may end TLS before us.
pub fn is_same_origin(origin: &str, host: &str) -> bool {
    let Some((scheme, place)) = origin.split_once("://") else { return false };
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let bare = |place: &str| place.strip_suffix(port).unwrap_or(place).to_ascii_lowercase();
    bare(place) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_the_list() {
        assert_eq!(token("bhiv.v1, bearer.a.b.c"), Some("a.b.c"));
        assert_eq!(token("bearer.a.b-_.c,bhiv.v1"), Some("a.b-_.c"));
        assert_eq!(token("bhiv.v1"), None);
    }

    #[test]
    fn origins_are_hosts() {
        for (origin, host, expected) in [
            ("http://127.0.0.1:8005", "127.0.0.1:8005", true),
            ("https://App.Example", "app.example", true),
            ("https://app.example", "app.example:443", true),
            ("https://app.example", "app.example:80", false),
            ("https://app.example:8443", "app.example", false),
            ("https://evil.example", "app.example", false),
            ("https://app.example.evil.example", "app.example", false),
            ("null", "app.example", false),
        ] {
            assert_eq!(is_same_origin(origin, host), expected, "{origin} {host}");
        }
    }
}
