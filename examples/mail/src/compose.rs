//! `mail compose`: a message from its parts, in the form of RFC 5322 and MIME (RFC 2045, RFC 2046, RFC 2047,
//! RFC 2183, RFC 2231), and on its way. Encoding and folding are `mail-builder`'s; what decides who is who and
//! where a field ends (addresses, Message-ID, boundaries) is made here.

mod correspondent;
mod media_type;

use core::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;
use mailwright_core::value::{ForwardPath, Mailbox, ReversePath};

pub(crate) use self::correspondent::Correspondent;
use crate::arguments::Compose;
use crate::failure::Failure;
use crate::message::Message;
use crate::send::{self, Order};

pub(crate) fn run(arguments: &Compose) -> Result<(), Failure> {
    send::usable(&arguments.server)?;
    let octets = build(arguments)?;
    if arguments.dry_run {
        let mut output = io::stdout().lock();
        output.write_all(&octets)?;
        return Ok(output.flush()?);
    }
    let order = Order {
        server: &arguments.server,
        from: ReversePath::Mailbox(arguments.from.mailbox.clone()),
        to: recipients(arguments),
        requests: &arguments.requests,
        name: Path::new("the message"),
    };
    order.send(&mut Message::composed(octets.into())?)
}

/// Everybody, once.
fn recipients(arguments: &Compose) -> Vec<ForwardPath> {
    let mut recipients: Vec<ForwardPath> = Vec::new();
    for correspondent in arguments.to.iter().chain(&arguments.cc).chain(&arguments.bcc) {
        let path = ForwardPath::from(correspondent.mailbox.clone());
        if !recipients.contains(&path) {
            recipients.push(path);
        }
    }
    recipients
}

/// The message. Whoever is in Bcc is not in it (RFC 5322 §3.6.3).
fn build(arguments: &Compose) -> Result<Vec<u8>, Failure> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Failure::failed)?.as_secs();
    let mut message = MessageBuilder::new()
        .date(seconds)
        .message_id(message_id(&arguments.from.mailbox)?)
        .from(Address::from(&arguments.from));
    if !arguments.to.is_empty() {
        message = message.to(addresses(&arguments.to));
    }
    if !arguments.cc.is_empty() {
        message = message.cc(addresses(&arguments.cc));
    }
    let message = message.subject(&*arguments.subject).body(body(arguments)?);
    Ok(message.write_to_vec()?)
}

fn addresses(correspondents: &[Correspondent]) -> Address<'_> {
    Address::new_list(correspondents.iter().map(Address::from).collect())
}

/// RFC 5322 §3.6.4: unique by 128 random bits; it tells nothing of the machine.
fn message_id(author: &Mailbox) -> Result<String, Failure> {
    Ok(format!("{}@{}", entropy()?, author.domain()))
}

fn entropy() -> Result<String, Failure> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(Failure::failed)?;
    Ok(octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    }))
}

/// The text in the forms that there are, with the attachments behind it.
fn body(arguments: &Compose) -> Result<MimePart<'static>, Failure> {
    let mut forms = Vec::new();
    if let Some(path) = &arguments.text {
        forms.push(MimePart::new("text/plain", text(path)?));
    }
    if let Some(path) = &arguments.html {
        forms.push(MimePart::new("text/html", text(path)?));
    }
    let body = match forms.len() {
        0 | 1 => forms.pop(),
        // RFC 2046 §5.1.4: the plainest form comes first.
        _ => Some(multipart("alternative", forms)?),
    };
    if arguments.attach.is_empty() {
        return Ok(body.unwrap_or_else(|| MimePart::new("text/plain", String::new())));
    }
    let mut parts = Vec::from_iter(body);
    for path in &arguments.attach {
        parts.push(attachment(path)?);
    }
    multipart("mixed", parts)
}

/// Parts between boundaries that no part can hold but by chance in 2^128.
fn multipart(subtype: &str, parts: Vec<MimePart<'static>>) -> Result<MimePart<'static>, Failure> {
    // RFC 2045 §6.7 (5): =_ occurs neither in quoted-printable nor in base64.
    let boundary = format!("=_{}", entropy()?);
    Ok(MimePart::new(ContentType::new(format!("multipart/{subtype}")).attribute("boundary", boundary), parts))
}

/// A text, with the line ends of mail, and one at its end.
fn text(path: &Path) -> Result<String, Failure> {
    let wrong = |error: &dyn core::fmt::Display| Failure::failed(format_args!("{}: {error}", path.display()));
    let mut octets = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut octets).map(drop)
    } else {
        std::fs::read(path).map(|content| octets = content)
    };
    read.map_err(|error| wrong(&error))?;
    let text = String::from_utf8(octets).map_err(|_| wrong(&"is not UTF-8"))?;
    if text.contains('\0') {
        return Err(wrong(&"holds a NUL, which no text has"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text.replace('\n', "\r\n"))
}

/// A file, byte for byte, under its own name without its directory.
fn attachment(path: &Path) -> Result<MimePart<'static>, Failure> {
    let wrong = |error: &dyn core::fmt::Display| Failure::failed(format_args!("{}: {error}", path.display()));
    let name = path.file_name().ok_or_else(|| wrong(&"is no file"))?.to_string_lossy();
    let octets = std::fs::read(path).map_err(|error| wrong(&error))?;
    let name: String =
        name.chars().map(|character| if character.is_control() { '_' } else { character }).collect();
    let media_type = media_type::of(&name, &octets);
    let mut content_type = ContentType::new(media_type);
    if media_type.starts_with("text/") {
        content_type = content_type.attribute("charset", "utf-8");
    }
    Ok(MimePart::new(content_type, octets).attachment(name))
}
