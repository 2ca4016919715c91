//! MIME: messages that are scanned for their structure.

use std::hint::black_box;

use mailwright_store::mime::{Limits, Scanner, Structure};

use crate::content::Body;
use crate::{Case, Work};

/// Octets of a streamed message.
const STREAM: usize = 100 << 20;

/// The header of a message as it arrives from elsewhere: 15 fields, about 1.5 KiB.
const HEADER: &str = "Return-Path: <alice@example.com>\r\n\
    Received: from mail.example.com (mail.example.com [192.0.2.7])\r\n\tby mx.example.org with ESMTPS id 4d2f1a\r\n\t\
    for <bob@example.org>; Mon, 7 Sep 2026 10:20:30 +0000\r\n\
    Received: from laptop.example.com ([198.51.100.23])\r\n\tby mail.example.com with ESMTPSA id 77c1;\r\n\t\
    Mon, 7 Sep 2026 10:20:28 +0000\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=mail;\r\n\t\
    h=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\t\
    b=oW3Yxq0dQn3bXr6T7o1kVbqkZfJm3P4d5uJx0Q8n7yqfZcV2m5o6GgXc2r1kW9bL0dVJ3aTzq8uYt4hPzK1nQ==\r\n\
    Date: Mon, 7 Sep 2026 12:20:27 +0200\r\n\
    From: Alice Example <alice@example.com>\r\n\
    To: Bob Example <bob@example.org>, \"Carol, of Sales\" <carol@example.org>\r\n\
    Cc: undisclosed-recipients:;\r\n\
    Subject: =?UTF-8?Q?Quarterly_figures_and_a_few_words_about_the_pl=C3=A4ne?=\r\n\
    Message-ID: <20260907122027.4711@laptop.example.com>\r\n\
    In-Reply-To: <20260904.0815@example.org>\r\n\
    References: <20260901.1@example.org> <20260903.2@example.com>\r\n\t<20260904.0815@example.org>\r\n\
    MIME-Version: 1.0\r\n\
    User-Agent: Example/1.0\r\n";

/// A message of 4.5 KiB in plain text.
#[must_use]
pub fn plain() -> Vec<u8> {
    let mut message = HEADER.as_bytes().to_vec();
    message.extend_from_slice(b"Content-Type: text/plain; charset=utf-8\r\n\r\n");
    message.extend(Body::Text.content(4608 - message.len()));
    message
}

/// A message of so many octets at least: text in two forms, and attachments.
#[must_use]
pub fn attachments(octets: usize) -> Vec<u8> {
    let mut message = HEADER.as_bytes().to_vec();
    message.extend_from_slice(
        b"Content-Type: multipart/mixed; boundary=\"=_outer_4711\"\r\n\r\nThis is MIME.\r\n--=_outer_4711\r\n\
          Content-Type: multipart/alternative; boundary=\"=_inner_0815\"\r\n\r\n--=_inner_0815\r\n\
          Content-Type: text/plain; charset=utf-8\r\n\r\n",
    );
    message.extend(Body::Text.content(2000));
    message.extend_from_slice(
        b"--=_inner_0815\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    message.extend(Body::Text.content(6000));
    message.extend_from_slice(b"--=_inner_0815--\r\n");
    let each = octets.saturating_sub(message.len()) / 4 + 1;
    for number in 1..=4 {
        message.extend_from_slice(
            format!(
                "--=_outer_4711\r\nContent-Type: application/pdf; name=\"report {number}.pdf\"\r\n\
                 Content-Disposition: attachment; filename*=utf-8''report%20{number}.pdf\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n"
            )
            .as_bytes(),
        );
        message.extend(Body::Base64.content(each));
    }
    message.extend_from_slice(b"--=_outer_4711--\r\n");
    message
}

fn scanned(message: &[u8]) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    message.chunks(65_536).for_each(|chunk| scanner.feed(chunk));
    scanner.finish()
}

/// Scans a message.
#[must_use]
pub fn scan(what: &str, message: fn() -> Vec<u8>, parts: usize) -> Case {
    Case::steady(
        format!("mime scan: {what}"),
        Work::Octets(message().len() as u64),
        message,
        move |message| assert_eq!(black_box(scanned(message)).parts().len(), parts),
    )
}

/// Scans a header alone.
fn header() -> Case {
    Case::steady(
        "mime scan: a header of 17 fields",
        Work::Items(1),
        || [HEADER, "\r\n"].concat().into_bytes(),
        |message| {
            black_box(scanned(message));
        },
    )
    .target(|target| target.nanoseconds = Some(3000.0))
}

/// Scans a message of which only the read that came last is there.
fn stream() -> Case {
    Case::steady(
        "mime scan: 100 MiB as a stream",
        Work::Octets(STREAM as u64),
        || {
            let head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n";
            (head.to_vec(), Body::Base64.content(65_536))
        },
        |(head, read)| {
            let mut scanner = Scanner::new(Limits::default());
            scanner.feed(head);
            for _ in 0..STREAM / 65_536 {
                scanner.feed(read);
            }
            scanner.feed(b"--b--\r\n");
            assert_eq!(black_box(scanner.finish()).parts().len(), 2);
        },
    )
    .target(|target| target.peak = Some(64 * 1024))
    .long()
}

/// A message by its name, and how many parts it has.
pub type Message = (&'static str, fn() -> Vec<u8>, usize);

/// The messages.
pub const MESSAGES: [Message; 3] = [
    ("4.5 KiB of text", plain, 1),
    ("100 KiB with attachments", || attachments(100 << 10), 8),
    ("8 MiB with attachments", || attachments(8 << 20), 8),
];

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = MESSAGES.map(|(what, message, parts)| scan(what, message, parts)).into();
    cases.push(header());
    cases.push(stream());
    cases
}
