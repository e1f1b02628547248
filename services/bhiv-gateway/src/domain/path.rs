use percent_encoding::percent_decode_str;
use url::Url;

/// The words of a path as the module that it is forwarded to will read them: dots resolved, percent-encoding
/// decoded. Whoever writes `/crm/x/../lead%73` means `/crm/leads`.
pub fn segments(path: &str) -> Vec<String> {
    // The parser that the client for modules uses, so that both read the same.
    let Ok(url) = Url::parse(&format!("http://module{path}")) else { return Vec::new() };
    let segments = url.path_segments().into_iter().flatten();
    segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect()
}

/// If `segments` are those of `pattern`, for example `/crm/leads/{id}`: what stands for `{id}`, or nothing if the
/// pattern has none.
pub fn matching<'a>(pattern: &str, segments: &'a [String]) -> Option<&'a str> {
    let words = pattern.split('/').skip(1);
    if words.clone().count() != segments.len() {
        return None;
    }
    let mut captured = "";
    for (word, segment) in words.zip(segments) {
        if word.starts_with('{') {
            captured = segment;
        } else if word != segment {
            return None;
        }
    }
    Some(captured)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
