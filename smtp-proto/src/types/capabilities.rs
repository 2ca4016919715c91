//! [`Capabilities`]: all that a server announces in its reply to EHLO or LHLO, for both sides. RFC 5321 §4.1.1.1.
//!
//! Nothing here decides what to announce or to use; that is the business of the two machines.

use alloc::string::String;
use alloc::vec::Vec;

use super::date_time::DateTime;
use super::extensions::{Arguments, Extension};
use super::reply::{Reply, ReplyError};
use super::request::{Hold, HoldInterval, decimal};
use super::status::ReplyCode;

/// Limits that a server announced with LIMITS (RFC 9422); `None` where it named none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnnouncedLimits {
    /// `MAILMAX`: transactions per session.
    pub transactions: Option<u64>,
    /// `RCPTMAX`: recipients per transaction.
    pub recipients: Option<u64>,
    /// `RCPTDOMAINMAX`: different recipient domains per session.
    pub recipient_domains: Option<u64>,
}

impl AnnouncedLimits {
    /// The line that says them; `None` if there is none.
    #[must_use]
    pub fn to_extension(&self) -> Option<Extension> {
        let items = [
            ("MAILMAX", self.transactions),
            ("RCPTMAX", self.recipients),
            ("RCPTDOMAINMAX", self.recipient_domains),
        ];
        let items = items.into_iter().filter_map(|(name, most)| Some(alloc::format!("{name}={}", most?)));
        // Such items are words of printable ASCII.
        let arguments = Arguments::new(items.collect::<Vec<_>>()).unwrap_or_default();
        (!arguments.is_empty()).then_some(Extension::Limits(arguments))
    }
}

/// How long a server holds messages for their release in the future (RFC 4865 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 4865 §3 has these two")]
pub struct FutureRelease {
    /// The most seconds of HOLDFOR.
    pub interval: HoldInterval,
    /// The last moment of HOLDUNTIL.
    pub until: DateTime,
}

impl FutureRelease {
    /// The line that says it.
    #[must_use]
    pub fn to_extension(&self) -> Extension {
        let words = [alloc::format!("{}", self.interval), alloc::format!("{}", self.until)];
        // Both are words of printable ASCII.
        Extension::FutureRelease(Arguments::new(words).unwrap_or_default())
    }

    /// Whether `hold` is within it.
    #[must_use]
    pub fn allows(&self, hold: Hold) -> bool {
        match hold {
            Hold::For(interval) => interval <= self.interval,
            Hold::Until(moment) => moment <= self.until,
        }
    }
}

/// The extensions that are in force in a session: none after HELO.
///
/// ```
/// use mailwright_smtp::types::{Capabilities, Extension};
///
/// let announced: Capabilities =
///     [Extension::Pipelining, Extension::Size(Some(10_000_000)), Extension::auth(["PLAIN"])?].into_iter().collect();
/// assert!(announced.pipelining());
/// assert!(announced.has_mechanism("plain"));
/// let reply = announced.to_reply("mx.example.org")?;
/// assert_eq!(Capabilities::from_reply(&reply), announced);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    extensions: Vec<Extension>,
}

impl Capabilities {
    /// No extension.
    #[must_use]
    pub const fn new() -> Self {
        Self { extensions: Vec::new() }
    }

    /// The extensions in a reply to EHLO or LHLO: each line but the first. It keeps no larger buffer alive.
    #[must_use]
    pub fn from_reply(reply: &Reply) -> Self {
        let reply = reply.detach();
        reply.lines().skip(1).map(|line| Extension::parse(&reply.view(line))).collect()
    }

    /// The reply to EHLO or LHLO: `250-` with `greeting` (the server's name, then any text), and a line
    /// for each extension. It has no enhanced code (RFC 2034 §4).
    ///
    /// # Errors
    /// If the greeting, or the text of an unknown extension that a peer sent, may not stand in a reply.
    pub fn to_reply(&self, greeting: &str) -> Result<Reply, ReplyError> {
        let lines = self.extensions.iter().map(alloc::string::ToString::to_string);
        Reply::multi_line(ReplyCode::OK, None, core::iter::once(String::from(greeting)).chain(lines))
    }

    /// Adds an extension at the end.
    pub fn push(&mut self, extension: Extension) {
        self.extensions.push(extension);
    }

    /// The extensions in the order of their lines.
    pub fn iter(&self) -> impl Iterator<Item = &Extension> {
        self.extensions.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.extensions.is_empty()
    }

    /// Whether the extension with this keyword, in any ASCII case, is there.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.iter().any(|extension| extension.keyword().eq_ignore_ascii_case(keyword))
    }

    fn contains(&self, extension: &Extension) -> bool {
        self.extensions.contains(extension)
    }

    /// PIPELINING.
    #[must_use]
    pub fn pipelining(&self) -> bool {
        self.contains(&Extension::Pipelining)
    }

    /// 8BITMIME.
    #[must_use]
    pub fn eight_bit_mime(&self) -> bool {
        self.contains(&Extension::EightBitMime)
    }

    /// SMTPUTF8.
    #[must_use]
    pub fn smtp_utf8(&self) -> bool {
        self.contains(&Extension::SmtpUtf8)
    }

    /// STARTTLS.
    #[must_use]
    pub fn start_tls(&self) -> bool {
        self.contains(&Extension::StartTls)
    }

    /// CHUNKING.
    #[must_use]
    pub fn chunking(&self) -> bool {
        self.contains(&Extension::Chunking)
    }

    /// BINARYMIME.
    #[must_use]
    pub fn binary_mime(&self) -> bool {
        self.contains(&Extension::BinaryMime)
    }

    /// DSN.
    #[must_use]
    pub fn dsn(&self) -> bool {
        self.contains(&Extension::Dsn)
    }

    /// ENHANCEDSTATUSCODES.
    #[must_use]
    pub fn enhanced_status_codes(&self) -> bool {
        self.contains(&Extension::EnhancedStatusCodes)
    }

    /// REQUIRETLS.
    #[must_use]
    pub fn require_tls(&self) -> bool {
        self.contains(&Extension::RequireTls)
    }

    /// Whether AUTH is announced, with any mechanism.
    #[must_use]
    pub fn auth(&self) -> bool {
        self.iter().any(|extension| matches!(extension, Extension::Auth(_)))
    }

    /// DELIVERBY: `None` if not announced, else the least seconds that a message with
    /// [`DeliverByMode::Return`](super::DeliverByMode::Return) must have, 0 if none are named (RFC 2852 §3).
    #[must_use]
    pub fn deliver_by(&self) -> Option<u32> {
        self.iter().find_map(|extension| match extension {
            Extension::DeliverBy(arguments) => {
                let least = arguments.iter().next().and_then(|word| word.split(',').next());
                Some(least.and_then(|least| decimal(least).ok()).unwrap_or(0))
            }
            _ => None,
        })
    }

    /// FUTURERELEASE, with both its arguments (RFC 4865 §3).
    #[must_use]
    pub fn future_release(&self) -> Option<FutureRelease> {
        self.iter().find_map(|extension| {
            let Extension::FutureRelease(arguments) = extension else { return None };
            let mut words = arguments.iter();
            let interval = words.next()?.parse().ok()?;
            Some(FutureRelease { interval, until: words.next()?.parse().ok()? })
        })
    }

    /// MT-PRIORITY.
    #[must_use]
    pub fn mt_priority(&self) -> bool {
        self.iter().any(|extension| matches!(extension, Extension::MtPriority(_)))
    }

    /// RRVS.
    #[must_use]
    pub fn rrvs(&self) -> bool {
        self.contains(&Extension::Rrvs)
    }

    /// MTRK (RFC 3885).
    #[must_use]
    pub fn message_tracking(&self) -> bool {
        self.contains(&Extension::Mtrk)
    }

    /// SIZE: `None` if not announced, `Some(None)` if announced without a limit (RFC 1870 §3). Of several the
    /// smallest limit.
    #[must_use]
    pub fn size(&self) -> Option<Option<u64>> {
        let mut sizes = self.iter().filter_map(|extension| match extension {
            Extension::Size(limit) => Some(*limit),
            _ => None,
        });
        let first = sizes.next()?;
        Some(sizes.fold(first, |least, limit| match (least, limit) {
            (Some(least), Some(limit)) => Some(least.min(limit)),
            (least, limit) => least.or(limit),
        }))
    }

    /// The names of the SASL mechanisms, in the server's order.
    pub fn mechanisms(&self) -> impl Iterator<Item = &str> {
        self.iter()
            .filter_map(|extension| match extension {
                Extension::Auth(arguments) => Some(arguments.iter()),
                _ => None,
            })
            .flatten()
    }

    /// Whether AUTH names `mechanism`, in any ASCII case.
    #[must_use]
    pub fn has_mechanism(&self, mechanism: &str) -> bool {
        self.mechanisms().any(|name| name.eq_ignore_ascii_case(mechanism))
    }

    /// What LIMITS names. Unknown items, and values that are no decimal number, are ignored.
    #[must_use]
    pub fn limits(&self) -> AnnouncedLimits {
        let mut limits = AnnouncedLimits::default();
        let items = self.iter().filter_map(|extension| match extension {
            Extension::Limits(arguments) => Some(arguments.iter()),
            _ => None,
        });
        for (name, value) in items.flatten().filter_map(|item| item.split_once('=')) {
            let slot = match name {
                name if name.eq_ignore_ascii_case("MAILMAX") => &mut limits.transactions,
                name if name.eq_ignore_ascii_case("RCPTMAX") => &mut limits.recipients,
                name if name.eq_ignore_ascii_case("RCPTDOMAINMAX") => &mut limits.recipient_domains,
                _ => continue,
            };
            if !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit()) {
                *slot = value.parse().ok();
            }
        }
        limits
    }
}

impl FromIterator<Extension> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Extension>>(extensions: I) -> Self {
        Self { extensions: extensions.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use bytes::Bytes;

    use super::*;

    fn parse(line: &'static str) -> Extension {
        Extension::parse(&Bytes::from_static(line.as_bytes()))
    }

    #[test]
    fn of_several_sizes_the_smallest_limit_holds() {
        let sizes: Capabilities =
            [Extension::Size(None), Extension::Size(Some(9)), Extension::Size(Some(5))].into_iter().collect();
        assert_eq!(sizes.size(), Some(Some(5)));
        assert_eq!(Capabilities::new().size(), None);
    }

    #[test]
    fn mechanisms_come_from_each_auth_line_and_the_old_form() {
        let capabilities: Capabilities =
            ["AUTH PLAIN  LOGIN", "auth=LOGIN XYZ", "AUTH"].map(parse).into_iter().collect();
        assert!(capabilities.mechanisms().eq(["PLAIN", "LOGIN", "LOGIN", "XYZ"]));
        assert!(capabilities.has_mechanism("login"));
        assert!(!capabilities.has_mechanism("LOG"));
    }

    #[test]
    fn limits_are_decimal_and_unknown_items_are_ignored() {
        let limits: Capabilities =
            [parse("LIMITS RCPTMAX=20 MAILMAX=+5 FOO=1 rcptdomainmax=1 RCPTMAX")].into_iter().collect();
        assert_eq!(
            limits.limits(),
            AnnouncedLimits { transactions: None, recipients: Some(20), recipient_domains: Some(1) }
        );
    }

    #[test]
    fn capabilities_written_and_read_again_are_the_same() {
        let capabilities: Capabilities =
            ["PIPELINING", "SIZE 1000", "AUTH PLAIN SCRAM-SHA-256", "XFOO a b", "DSN"]
                .map(parse)
                .into_iter()
                .collect();
        let reply = capabilities.to_reply("mx.example.org at your service").unwrap();
        assert_eq!(Capabilities::from_reply(&reply), capabilities);
        assert!(capabilities.has("xfoo") && capabilities.dsn() && !capabilities.start_tls());
    }

    #[test]
    fn a_reply_to_helo_announces_nothing() {
        assert!(Capabilities::from_reply(&Reply::OK).is_empty());
    }

    #[test]
    fn what_cannot_stand_in_a_reply_is_not_announced() {
        assert!(Capabilities::new().to_reply("mx\r\n250 x").is_err());
    }

    #[test]
    fn limits_are_written_as_they_are_read() {
        let limits = AnnouncedLimits { transactions: Some(5), recipients: None, recipient_domains: Some(1) };
        let extension = limits.to_extension().unwrap();
        assert_eq!(extension.to_string(), "LIMITS MAILMAX=5 RCPTDOMAINMAX=1");
        assert_eq!([extension].into_iter().collect::<Capabilities>().limits(), limits);
        assert_eq!(AnnouncedLimits::default().to_extension(), None);
    }

    #[test]
    fn what_a_queue_obeys_is_read_from_its_lines() {
        let capabilities: Capabilities = [
            "DELIVERBY 60,x",
            "FUTURERELEASE 86400 2026-11-27T19:30:00Z",
            "MT-PRIORITY STANAG4406",
            "RRVS",
            "AUTH PLAIN",
        ]
        .map(parse)
        .into_iter()
        .collect();
        assert_eq!(capabilities.deliver_by(), Some(60));
        let release = capabilities.future_release().unwrap();
        assert_eq!(release.to_extension().to_string(), "FUTURERELEASE 86400 2026-11-27T19:30:00Z");
        assert!(release.allows(Hold::For(HoldInterval::new(86_400).unwrap())));
        assert!(!release.allows(Hold::For(HoldInterval::new(86_401).unwrap())));
        assert!(release.allows(Hold::Until(release.until)));
        assert!(!release.allows(Hold::until("2026-11-27T19:30:01Z").unwrap()));
        assert!(capabilities.mt_priority() && capabilities.rrvs() && capabilities.auth());
        let none: Capabilities = ["DELIVERBY x", "FUTURERELEASE 5"].map(parse).into_iter().collect();
        assert_eq!((none.deliver_by(), none.future_release()), (Some(0), None));
        assert_eq!(Capabilities::new().deliver_by(), None);
    }
}
