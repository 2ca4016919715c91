//! What servers send although they must not: items of FETCH and their values.

use crate::table::Table;

pub(crate) fn rows(t: &mut Table) {
    structures(t);
    envelopes(t);
    values(t);
    siblings(t);
}

const LEAF: &str = "\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1";

fn structures(t: &mut Table) {
    t.row("2.5 disposition", "It may lack its parentheses, or be a list of NIL");
    t.item(format!("BODYSTRUCTURE ({LEAF} NIL \"inline\" NIL NIL)"), "~missing parentheses at 74 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: Some(1), envelope: None, extension: Some(Extension { md5: None, disposition: Some((b\"inline\", [])), language: [], location: None }) }] })", "~ignored syntax error at 74 Invalid(BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL \"inline\" NIL NIL))");
    t.item(format!("BODYSTRUCTURE ({LEAF} NIL (NIL NIL) NIL NIL)"), "~unexpected NIL at 74 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: Some(1), envelope: None, extension: Some(Extension { md5: None, disposition: None, language: [], location: None }) }] })", "~ignored syntax error at 74 Invalid(BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL (NIL NIL) NIL NIL))");

    t.row("2.5 multipart without parts", "It is one with zero parts, and may have fewer fields");
    t.item("BODYSTRUCTURE (\"ALTERNATIVE\" (\"BOUNDARY\" \"x\") NIL NIL)", "~missing fields at 32 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: true, media_type: b\"multipart\", subtype: b\"ALTERNATIVE\", parameters: [(b\"BOUNDARY\", b\"x\")], id: None, description: None, encoding: b\"\", octets: None, lines: None, envelope: None, extension: Some(Extension { md5: None, disposition: None, language: [], location: None }) }] })", "~ignored syntax error at 32 Invalid(BODYSTRUCTURE (\"ALTERNATIVE\" (\"BOUNDARY\" \"x\") NIL NIL))");
    t.item("BODYSTRUCTURE (\"MIXED\")", "~missing fields at 32 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: true, media_type: b\"multipart\", subtype: b\"MIXED\", parameters: [], id: None, description: None, encoding: b\"\", octets: None, lines: None, envelope: None, extension: None }] })", "~ignored syntax error at 32 Invalid(BODYSTRUCTURE (\"MIXED\"))");

    t.row("2.5 parameter without value", "NIL for a value is an empty value");
    t.item("BODYSTRUCTURE (\"text\" \"plain\" (\"boundary\" NIL) NIL NIL \"7bit\" 5 1)", "~unexpected NIL at 59 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [(b\"boundary\", b\"\")], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: Some(1), envelope: None, extension: None }] })", "~ignored syntax error at 59 Invalid(BODYSTRUCTURE (\"text\" \"plain\" (\"boundary\" NIL) NIL NIL \"7bit\" 5 1))");

    t.row("2.5 body structures", "NIL where a value must be, a message as a basic part, fields that are missing, extension data of any kind, a language without list");
    t.item("BODYSTRUCTURE (\"text\" NIL NIL NIL NIL NIL 5 1)", "~unexpected NIL at 39 ~unexpected NIL at 55 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"\", parameters: [], id: None, description: None, encoding: b\"\", octets: Some(5), lines: Some(1), envelope: None, extension: None }] })", "~ignored syntax error at 32 Invalid(BODYSTRUCTURE (\"text\" NIL NIL NIL NIL NIL 5 1))");
    t.item("BODYSTRUCTURE (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 5)", "~missing fields at 71 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"message\", subtype: b\"rfc822\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: None, envelope: None, extension: None }] })", "~ignored syntax error at 71 Invalid(BODYSTRUCTURE (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 5))");
    t.item("BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5)", "~missing fields at 67 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: None, envelope: None, extension: None }] })", "~ignored syntax error at 67 Invalid(BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5))");
    t.item(format!("BODYSTRUCTURE ({LEAF} NIL NIL \"de\" NIL (x (y (1 \"z\"))) 7)"), "BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: Some(1), envelope: None, extension: Some(Extension { md5: None, disposition: None, language: [b\"de\"], location: None }) }] })", "BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: Some(1), envelope: None, extension: Some(Extension { md5: None, disposition: None, language: [b\"de\"], location: None }) }] })");
    t.item(format!("BODYSTRUCTURE ({LEAF} NIL NIL (NIL) NIL)"), "~unexpected NIL at 79 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: Some(1), envelope: None, extension: Some(Extension { md5: None, disposition: None, language: [b\"\"], location: None }) }] })", "~ignored syntax error at 79 Invalid(BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL NIL (NIL) NIL))");
}

fn envelopes(t: &mut Table) {
    t.row(
        "2.5 addresses",
        "Spaces between them, NIL among them, and `()` for none; what was put in the wrong field stays there",
    );
    t.item("ENVELOPE (NIL \"s\" ((\"a\" NIL \"b\" \"c.example\") (NIL NIL \"d\" \"e.example\")) NIL NIL NIL NIL NIL NIL NIL)", "~extra white space at 61 Envelope(Envelope { date: None, subject: Some(b\"s\"), from: [Address { name: Some(b\"a\"), route: None, mailbox: Some(b\"b\"), host: Some(b\"c.example\") }, Address { name: None, route: None, mailbox: Some(b\"d\"), host: Some(b\"e.example\") }], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "~ignored syntax error at 61 Invalid(ENVELOPE (NIL \"s\" ((\"a\" NIL \"b\" \"c.example\") (NIL NIL \"d\" \"e.example\")) NIL NIL NIL NIL NIL NIL NIL))");
    t.item("ENVELOPE (NIL NIL (NIL (NIL NIL \"d\" \"e.example\")) NIL NIL NIL NIL NIL NIL NIL)", "~unexpected NIL at 36 ~extra white space at 39 Envelope(Envelope { date: None, subject: None, from: [Address { name: None, route: None, mailbox: Some(b\"d\"), host: Some(b\"e.example\") }], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "~ignored syntax error at 36 Invalid(ENVELOPE (NIL NIL (NIL (NIL NIL \"d\" \"e.example\")) NIL NIL NIL NIL NIL NIL NIL))");
    t.item("ENVELOPE (NIL NIL () NIL NIL NIL NIL NIL NIL NIL)", "~missing fields at 35 Envelope(Envelope { date: None, subject: None, from: [], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "~ignored syntax error at 35 Invalid(ENVELOPE (NIL NIL () NIL NIL NIL NIL NIL NIL NIL))");
    t.item("ENVELOPE (NIL NIL ((\"d@e.example\" NIL \"Name\" NIL)) NIL NIL NIL NIL NIL NIL NIL)", "Envelope(Envelope { date: None, subject: None, from: [Address { name: Some(b\"d@e.example\"), route: None, mailbox: Some(b\"Name\"), host: None }], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "Envelope(Envelope { date: None, subject: None, from: [Address { name: Some(b\"d@e.example\"), route: None, mailbox: Some(b\"Name\"), host: None }], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })");

    t.row("2.5 envelopes", "More parentheses round one are nothing; fields that are missing are NIL");
    t.item("ENVELOPE ((NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL))", "~extra parentheses at 27 Envelope(Envelope { date: None, subject: Some(b\"s\"), from: [], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "~ignored syntax error at 27 Invalid(ENVELOPE ((NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)))");
    t.item("ENVELOPE (NIL \"s\")", "~missing fields at 34 Envelope(Envelope { date: None, subject: Some(b\"s\"), from: [], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "~ignored syntax error at 34 Invalid(ENVELOPE (NIL \"s\"))");
}

fn values(t: &mut Table) {
    t.row("2.5 numbers", "What is negative is unknown; a fraction or an exponent counts where it is a whole number; sizes have 64 bits");
    t.item(
        "RFC822.SIZE -1",
        "~number in an unusual form at 29 Rfc822Size(None)",
        "~ignored syntax error at 29 Invalid(RFC822.SIZE -1)",
    );
    t.item(
        "RFC822.SIZE 12.0",
        "~number in an unusual form at 29 Rfc822Size(Some(12))",
        "~ignored syntax error at 29 Invalid(RFC822.SIZE 12.0)",
    );
    t.item(
        "RFC822.SIZE 1.5e3",
        "~number in an unusual form at 29 Rfc822Size(Some(1500))",
        "~ignored syntax error at 29 Invalid(RFC822.SIZE 1.5e3)",
    );
    t.item(
        "RFC822.SIZE 1.5",
        "~number in an unusual form at 29 Rfc822Size(None)",
        "~ignored syntax error at 29 Invalid(RFC822.SIZE 1.5)",
    );
    t.item(
        "RFC822.SIZE 18446744073709551615",
        "Rfc822Size(Some(18446744073709551615))",
        "Rfc822Size(Some(18446744073709551615))",
    );
    t.item("BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" -1 -1)", "~number in an unusual form at 66 ~number in an unusual form at 69 BodyStructure(BodyStructure { parts: [Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: None, lines: None, envelope: None, extension: None }] })", "~ignored syntax error at 66 Invalid(BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" -1 -1))");

    t.row("2.5 strings", "Octets beyond ASCII are octets; quotes that are not escaped cost their item; a literal with a wrong count ends the session");
    t.item(b"ENVELOPE (NIL \"gr\xc3\xbcn\" NIL NIL NIL NIL NIL NIL NIL NIL)", "~8-bit octets at 31 Envelope(Envelope { date: None, subject: Some(b\"gr\\xc3\\xbcn\"), from: [], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "~ignored syntax error at 31 Invalid(ENVELOPE (NIL \"grün\" NIL NIL NIL NIL NIL NIL NIL NIL))");
    t.item(b"ENVELOPE (NIL \"gr\xfcn\" NIL NIL NIL NIL NIL NIL NIL NIL)", "~8-bit octets at 31 Envelope(Envelope { date: None, subject: Some(b\"gr\\xfcn\"), from: [], sender: [], reply_to: [], to: [], cc: [], bcc: [], in_reply_to: None, message_id: None })", "~ignored syntax error at 31 Invalid(ENVELOPE (NIL \"gr\\xfcn\" NIL NIL NIL NIL NIL NIL NIL NIL))");
    t.item(
        "ENVELOPE (NIL \"a \"b\" c\" NIL NIL NIL NIL NIL NIL NIL NIL)",
        "~ignored syntax error at 35 Invalid(ENVELOPE (NIL \"a \"b\" c\" NIL NIL NIL NIL NIL NIL NIL NIL))",
        "~ignored syntax error at 35 Invalid(ENVELOPE (NIL \"a \"b\" c\" NIL NIL NIL NIL NIL NIL NIL NIL))",
    );
    t.item(
        "ENVELOPE (NIL {3}\r\nabcd NIL NIL NIL NIL NIL NIL NIL NIL)",
        "FETCH 1 Uid(5)…; closed: the length of a literal was wrong",
        "FETCH 1 Uid(5)…; closed: the length of a literal was wrong",
    );

    t.row("2.5 flags", "Any word is one; `\\*` is none outside PERMANENTFLAGS; a flag may come twice");
    t.item(
        "FLAGS ($x +x \\\\X \\Seen)",
        "~ignored syntax error at 30 FLAGS ($x +x \\Seen) and [OtherFlag(\\\\\\\\X)]",
        "~ignored syntax error at 30 Invalid(FLAGS ($x +x \\\\X \\Seen))",
    );
    t.item(
        "FLAGS (\\* \\Seen \\Seen)",
        "~ignored syntax error at 24 FLAGS (\\Seen \\Seen) and [OtherFlag(\\\\*)]",
        "~ignored syntax error at 24 Invalid(FLAGS (\\* \\Seen \\Seen))",
    );
    t.item(
        "X-GM-LABELS (\"a b\" \\Inbox NIL)",
        "GmailLabels([b\"a b\", b\"\\\\Inbox\", b\"NIL\"])",
        "GmailLabels([b\"a b\", b\"\\\\Inbox\", b\"NIL\"])",
    );
}

fn siblings(t: &mut Table) {
    t.row("2.5 siblings", "An item that cannot be read costs nothing but itself");
    t.item(
        "BODYSTRUCTURE x",
        "~ignored syntax error at 31 Invalid(BODYSTRUCTURE x)",
        "~ignored syntax error at 31 Invalid(BODYSTRUCTURE x)",
    );
    t.item("ENVELOPE (\"a\" (((", "FETCH 1 (Uid(5) ~ignored syntax error at 31 Invalid(ENVELOPE (\"a\" ((( RFC822.SIZE 9)) !expected the closing parenthesis at 49)", "FETCH 1 (Uid(5) ~ignored syntax error at 31 Invalid(ENVELOPE (\"a\" ((( RFC822.SIZE 9)) !expected the closing parenthesis at 49)");
    t.item(
        "INTERNALDATE \"yesterday\"",
        "~ignored syntax error at 41 Invalid(INTERNALDATE \"yesterday\")",
        "~ignored syntax error at 41 Invalid(INTERNALDATE \"yesterday\")",
    );
    t.item(
        "X-NEW (a (b c) {3}\r\nabc)",
        "Unknown(X-NEW (a (b c) {3}⏎abc))",
        "Unknown(X-NEW (a (b c) {3}⏎abc))",
    );
    t.item(
        "MODSEQ x",
        "~ignored syntax error at 24 Invalid(MODSEQ x)",
        "~ignored syntax error at 24 Invalid(MODSEQ x)",
    );
    t.both(
        "* LIST (\\A \"b\" \\C) \"/\" x\r\n",
        "~ignored syntax error at 11; LIST [Other(b\"\\\\A\"), Other(b\"b\"), Other(b\"\\\\C\")] / \"x\"",
        "!ignored syntax error, which is not tolerated at 11",
    );
    t.both("* NAMESPACE ((\"\" \"/\")(x)) NIL NIL\r\n", "~ignored syntax error at 21; Namespace(Namespaces { personal: [Namespace { prefix: b\"\", separator: Some(47), extensions: [] }], other_users: [], shared: [], invalid: [b\"(x)\"] })", "~ignored syntax error at 21; Namespace(Namespaces { personal: [Namespace { prefix: b\"\", separator: Some(47), extensions: [] }], other_users: [], shared: [], invalid: [b\"(x)\"] })");
    t.both("* QUOTA \"\" (STORAGE x 512)\r\n* 7 EXISTS\r\n", "~ignored syntax error at 12; Quota(QuotaResponse { root: \"\", resources: [], invalid: [b\"STORAGE x 512\"] }); 7 EXISTS", "~ignored syntax error at 12; Quota(QuotaResponse { root: \"\", resources: [], invalid: [b\"STORAGE x 512\"] }); 7 EXISTS");
    t.both("* ACL INBOX fred\r\n* 7 EXISTS\r\n", "~ignored syntax error at 12; Acl(AclResponse { mailbox: \"INBOX\", entries: [], invalid: [b\"fred\"] }); 7 EXISTS", "~ignored syntax error at 12; Acl(AclResponse { mailbox: \"INBOX\", entries: [], invalid: [b\"fred\"] }); 7 EXISTS");
    t.both("* METADATA \"\" (/shared/x)\r\n* 7 EXISTS\r\n", "~ignored syntax error at 15; Metadata(MetadataResponse { mailbox: b\"\", data: Values([]), invalid: [b\"/shared/x\"] }); 7 EXISTS", "~ignored syntax error at 15; Metadata(MetadataResponse { mailbox: b\"\", data: Values([]), invalid: [b\"/shared/x\"] }); 7 EXISTS");
}
