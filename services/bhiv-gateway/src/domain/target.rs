//! What a request may be for: one path has one meaning, here, in libraries on the way, and in the module.

use std::borrow::Cow;

use super::path;

/// Longest path with its query, in bytes.
pub const LONGEST: usize = 8 * 1024;

/// Whether `path` means to everybody what it says.
///
/// Permissions are checked on the text of the path. So nothing is let in that somebody behind would read as another
/// path: dot segments, plain or encoded (a URL library removes them), empty segments, encoded slashes, backslashes,
/// control characters, what is no UTF-8, and characters that a URL has to encode (RFC 3986, 3.3).
///
/// # Errors
/// What is wrong with it.
pub fn check(path: &str) -> Result<(), &'static str> {
    let rest = path.strip_prefix('/').ok_or("a path begins with a slash")?;
    if rest.is_empty() || is_simple(rest) {
        return Ok(());
    }
    // One slash at the end is no empty segment.
    let mut segments = rest.strip_suffix('/').unwrap_or(rest).split('/');
    segments.try_for_each(segment)
}

/// Whether these are segments of letters and digits and nothing else, as almost always: then nothing has to be decoded.
fn is_simple(rest: &str) -> bool {
    let mut last = b'/';
    rest.bytes().all(|byte| {
        let is_empty = last == b'/' && byte == b'/';
        last = byte;
        !is_empty && path::is_simple(byte)
    })
}

fn segment(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it has an empty segment");
    }
    let decoded = decode(text)?;
    if decoded.contains(['/', '\\']) {
        return Err("it has an encoded slash or backslash");
    }
    if decoded.contains(char::is_control) {
        return Err("it has a control character");
    }
    // Some servers drop parameters of a segment: `..;x` is `..` to them.
    if matches!(decoded.split(';').next(), Some("." | "..")) {
        return Err("it has a dot segment");
    }
    Ok(())
}

/// A segment without its percent signs.
fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if text.bytes().all(is_plain) {
        return Ok(text.into());
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if is_plain(byte) {
            decoded.push(byte);
        } else if byte == b'%' {
            let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
            let (high, low) = (digit(), digit());
            let byte = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
            decoded.push(byte.ok_or("a percent sign is not followed by two digits")?);
        } else {
            return Err("it has a character that must be encoded");
        }
    }
    String::from_utf8(decoded).map(Cow::from).map_err(|_| "it is not UTF-8")
}

/// RFC 3986: what a segment may have without encoding.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_one_thing_is_let_in() {
        for path in [
            "/",
            "/crm",
            "/crm/",
            "/crm/leads/0190aaaa-0000-7000-8000-000000000001",
            "/crm/leads/a%20b%C3%A4",
            "/crm/leads.",
            "/crm/...",
            "/crm/.hidden",
            "/crm/a;b=1",
            "/crm/%2525",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn what_may_mean_another_path_is_not() {
        for path in [
            "",
            "*",
            "crm",
            "//crm/leads",
            "/crm//leads",
            "/crm/leads//",
            "//",
            "/crm/../audit",
            "/crm/..",
            "/crm/../",
            "/./crm",
            "/crm/%2e%2e/audit",
            "/crm/%2E./audit",
            "/crm/.%2e/audit",
            "/crm/%2e/leads",
            "/crm/%2F..",
            "/crm%2fleads",
            "/crm/%5c..%5caudit",
            "/crm/..\\audit",
            "/crm/..;/audit",
            "/crm/..%3bx/audit",
            "/crm/%00",
            "/crm/a%0d%0ab",
            "/crm/%7f",
            "/crm/%c2%80",
            "/crm/%c0%ae%c0%ae/audit",
            "/crm/%ff",
            "/crm/%",
            "/crm/%2",
            "/crm/%zz",
            "/crm/%+1",
            "/crm/{id}",
            "/crm/a|b",
            "/crm/a^b",
            "/crm/\"",
            "/crm/\u{e4}",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}
