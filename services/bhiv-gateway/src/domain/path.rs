use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

/// The words of a path as the module that it is forwarded to will read them: dots resolved, percent-encoding
/// decoded. Whoever writes `/crm/x/../lead%73` means `/crm/leads`.
pub fn segments(path: &str) -> Vec<Cow<'_, str>> {
    // Most paths can be read in one way only, and every request asks.
    if let Some(rest) = path.strip_prefix('/').filter(|rest| rest.bytes().all(is_simple)) {
        return rest.split('/').map(Cow::from).collect();
    }
    // As browsers and URL libraries read it.
    let Ok(url) = Url::parse(&format!("http://module{path}")) else { return Vec::new() };
    let segments = url.path_segments().into_iter().flatten();
    segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned().into()).collect()
}

/// What stands for itself wherever it stands.
pub fn is_simple(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_/".contains(&byte)
}

/// If `segments` are those of `pattern`, for example `/crm/leads/{id}`: what stands for `{id}`, or nothing if the
/// pattern has none.
pub fn matching<'a>(pattern: &str, segments: &'a [Cow<'_, str>]) -> Option<&'a str> {
    // Every request asks for many patterns: so nothing is searched for.
    let (mut rest, mut captured) = (pattern, "");
    for segment in segments {
        rest = rest.strip_prefix('/')?;
        if rest.starts_with('{') {
            captured = segment;
            rest = rest.split_once('}')?.1;
        } else {
            rest = rest.strip_prefix(segment.as_ref()).filter(|_| !segment.contains('/'))?;
        }
    }
    rest.is_empty().then_some(captured)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is read without the library is read as the library reads it.
        #[test]
        fn simple_paths_are_read_as_others_are(path in "/[a-z0-9/_-]{0,20}") {
            let url = Url::parse(&format!("http://module{path}")).unwrap();
            prop_assert_eq!(segments(&path), url.path_segments().unwrap().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_path_is_read_as_its_module_reads_it() {
        for path in [
            "/crm/leads/7",
            "/crm/lead%73/7",
            "/crm/x/../leads/7",
            "/crm/%2e/leads/%37",
            "/crm\\leads\\7",
            "/crm/x/%2E%2e/leads/7",
        ] {
            assert_eq!(segments(path), ["crm", "leads", "7"], "{path}");
        }
        assert_eq!(segments("/consent/lead%2F7"), ["consent", "lead/7"]);
    }

    #[test]
    fn a_pattern_fits_whole_paths() {
        let path = segments("/crm/leads/7");
        assert_eq!(matching("/crm/leads/{id}", &path), Some("7"));
        assert_eq!(matching("/crm/leads/7", &path), Some(""));
        assert_eq!(matching("/crm/leads", &path), None);
        assert_eq!(matching("/crm/leads/{id}/convert", &path), None);
        assert_eq!(matching("/crm/{x}/8", &path), None);
        for other in
            ["/crm/lead/7", "/crm/leadss/7", "/crm//7", "/crm/leads/7/", "/crm%2Fleads/7", "//crm/leads/7"]
        {
            assert_eq!(matching("/crm/leads/{id}", &segments(other)), None, "{other}");
        }
    }
}
