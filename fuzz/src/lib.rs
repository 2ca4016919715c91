//! Fuzz targets of the Mailwright crates. A target is a function of octets that panics where something is wrong:
//! a panic of the crate under test, a difference from a simpler oracle, a broken law. Any fuzzer can call
//! them; the program `smoke` does so on a stable toolchain, and a test replays the seeds.
//!
//! Seeds lie in `seeds/TARGET/`; the program `seeds` makes them from the transcripts of the crates and from the
//! dialogues in [`seeds`]. An input that once failed is added there by hand, under a name that says what was
//! wrong.

pub mod address;
pub mod dsn;
pub mod imap;
pub mod imap_client;
pub mod imap_responses;
pub mod mx;
pub mod mx_tls;
pub mod pop3;
pub mod sasl;
pub mod seeds;
pub mod smtp;
pub mod wire;

/// A target with its name.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder of seeds.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "address", run: address::address },
    Target { name: "dot_codec", run: wire::dot_codec },
    Target { name: "imap_client", run: imap_client::imap_client },
    Target { name: "imap_client_compress", run: imap_client::imap_client_compress },
    Target { name: "imap_client_cut", run: imap_client::imap_client_cut },
    Target { name: "imap_commands", run: imap::imap_commands },
    Target { name: "imap_responses", run: imap_responses::imap_responses },
    Target { name: "imap_server", run: imap::imap_server },
    Target { name: "imap_server_cut", run: imap::imap_server_cut },
    Target { name: "line_framer", run: wire::line_framer },
    Target { name: "mx_discovery", run: mx_tls::mx_discovery },
    Target { name: "mx_files", run: mx_tls::mx_files },
    Target { name: "mx_machine", run: mx::mx_machine },
    Target { name: "mx_names", run: mx::mx_names },
    Target { name: "mx_packets", run: mx::mx_packets },
    Target { name: "mx_policies", run: mx_tls::mx_policies },
    Target { name: "mx_srv", run: mx_tls::mx_srv },
    Target { name: "mx_sts", run: mx_tls::mx_sts },
    Target { name: "pop3_client", run: pop3::pop3_client },
    Target { name: "pop3_client_cut", run: pop3::pop3_client_cut },
    Target { name: "pop3_lines", run: pop3::pop3_lines },
    Target { name: "pop3_server", run: pop3::pop3_server },
    Target { name: "pop3_server_cut", run: pop3::pop3_server_cut },
    Target { name: "sasl_client", run: sasl::sasl_client },
    Target { name: "sasl_server", run: sasl::sasl_server },
    Target { name: "smtp_chunks", run: smtp::smtp_chunks },
    Target { name: "smtp_client", run: smtp::smtp_client },
    Target { name: "smtp_client_cut", run: smtp::smtp_client_cut },
    Target { name: "smtp_commands", run: smtp::smtp_commands },
    Target { name: "smtp_data", run: smtp::smtp_data },
    Target { name: "smtp_dsn", run: dsn::smtp_dsn },
    Target { name: "smtp_replies", run: smtp::smtp_replies },
    Target { name: "smtp_server", run: smtp::smtp_server },
    Target { name: "smtp_server_cut", run: smtp::smtp_server_cut },
];

/// The first octet, which chooses, and the rest.
fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(&first, rest)| (first, rest))
}
