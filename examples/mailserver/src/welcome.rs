//! What a newcomer is told on standard error: how to connect, and the DNS records one would publish.

use mailwright_core::value::Domain;

use crate::data::Data;
use crate::directory::DEMO;
use crate::listen::Listener;
use crate::options::{Options, Relay, StoreKind};
use crate::service::Service;

/// The name of this host: in greetings, trace fields and the certificate.
pub(crate) fn host_name(options: &Options) -> String {
    match options.domains.first() {
        // A-labels: a greeting is ASCII.
        Some(Domain::Name(name)) => {
            let name = name.normalise().unwrap_or_else(|_| name.clone());
            format!("mail.{name}")
        }
        _ => "localhost".to_owned(),
    }
}

pub(crate) fn print(options: &Options, data: &Data, listeners: &[Listener]) {
    eprint!("{}", text(options, data, listeners));
}

fn text(options: &Options, data: &Data, listeners: &[Listener]) -> String {
    use core::fmt::Write as _;
    let mut text = String::from(match options.store {
        StoreKind::Memory => "\nMail is kept in memory only. ",
        StoreKind::Local => "\n",
    });
    text.push_str(match &options.relay {
        Relay::Off => "Mail for other domains is refused.\n",
        Relay::Mx => "Mail of accounts for other domains goes to their MX hosts.\n",
        Relay::Host(_) => "Mail of accounts for other domains goes to the smart host.\n",
    });
    // Writing to a string does not fail.
    let mut line = |line: core::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{line}");
    };
    if options.demo {
        let (addresses, password) = DEMO;
        line(format_args!("Accounts: {}, password: {password}", addresses.join(", ")));
    }
    for Listener { service, address, .. } in listeners {
        let what = match service {
            Service::Smtp => "mail from other servers, STARTTLS",
            Service::Submission => "mail from accounts, log in after STARTTLS",
            Service::Submissions => "mail from accounts over TLS, log in",
            Service::Lmtp => "delivery by another server",
            Service::Imap => "reading mail, log in after STARTTLS",
            Service::Imaps => "reading mail over TLS, log in",
            Service::Pop3 => "reading mail, log in after STLS",
            Service::Pop3s => "reading mail over TLS, log in",
        };
        line(format_args!("  {:<12} {address}  {what}", service.name()));
    }
    if options.tls.is_none() {
        line(format_args!("Trust this CA: {}", data.path("ca.pem").display()));
    }
    let host = host_name(options);
    line(format_args!("\nRecords to publish if this were a public server:"));
    for domain in &options.domains {
        line(format_args!("{domain}. IN MX 10 {host}.  ; where mail for the domain goes"));
        line(format_args!("{domain}. IN TXT \"v=spf1 mx -all\"  ; only the hosts above send its mail"));
        let reports = "; what receivers do with other mail";
        line(format_args!(
            "_dmarc.{domain}. IN TXT \"v=DMARC1; p=reject; rua=mailto:postmaster@{domain}\"  {reports}"
        ));
        line(format_args!("_submissions._tcp.{domain}. IN SRV 0 1 465 {host}.  ; where its users send"));
        line(format_args!("_imaps._tcp.{domain}. IN SRV 0 1 993 {host}.  ; where its users read"));
        line(format_args!("_pop3s._tcp.{domain}. IN SRV 0 2 995 {host}.  ; the same by POP3"));
    }
    text
}
