//! What an attachment is, by the end of its name.

/// Media types by extension, in lower case. All are registered with IANA.
const TYPES: [(&str, &str); 33] = [
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("epub", "application/epub+zip"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("md", "text/markdown"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ogg", "audio/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("webp", "image/webp"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// Of what nothing is known (RFC 2046 §4.5.1).
const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file. A name that promises text does not make text of other octets.
pub(super) fn of(name: &str, octets: &[u8]) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let known = TYPES.iter().find(|(known, _)| *known == extension);
    let media_type = known.map_or(UNKNOWN, |&(_, media_type)| media_type);
    if media_type.starts_with("text/") && !is_text(octets) { UNKNOWN } else { media_type }
}

/// Whether octets are text of mail: UTF-8 without NUL, and no CR but before LF (RFC 2046 §4.1.1).
fn is_text(octets: &[u8]) -> bool {
    let mut behind_cr = octets.split(|&octet| octet == b'\r').skip(1);
    core::str::from_utf8(octets).is_ok()
        && !octets.contains(&0)
        && behind_cr.all(|behind| behind.starts_with(b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_name_decides_in_any_case() {
        assert_eq!(of("a.b.PDF", b"\0"), "application/pdf");
        assert_eq!(of("notes.txt", "grün\r\n".as_bytes()), "text/plain");
        assert_eq!(of("pdf", b""), UNKNOWN);
        assert_eq!(of("a.unheard-of", b""), UNKNOWN);
    }

    #[test]
    fn what_cannot_be_text_is_none() {
        for octets in [&b"\xff"[..], b"a\rb", b"a\r", b"a\0"] {
            assert_eq!(of("notes.txt", octets), UNKNOWN, "{octets:?}");
        }
    }
}
