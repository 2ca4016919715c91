//! `smtp-command`: command lines as a server reads them. RFC 5321 §4.1.1.

use bytes::Bytes;
use mailwright_core::value::{Deviation, ForwardPath, Mailbox, ReversePath, SourceRoute};
use mailwright_smtp::parse::{CommandLine, CommandOptions};
use mailwright_smtp::types::{Body, ClientName, Command, Parameters, Verb};
use serde_json::{Value, json};

use crate::item::Fault;
use crate::json;
use crate::line::LineParser;

/// Reads command lines.
#[derive(Debug)]
pub(crate) struct Commands {
    options: CommandOptions,
}

impl Commands {
    pub(crate) fn new(strict: bool) -> Self {
        let mut options = CommandOptions::default();
        options.space_after_colon = !strict;
        options.missing_brackets = !strict;
        options.address.underscore_in_domain = !strict;
        // Which parameters are in force depends on what a server announced; all of them have a form.
        options.auth = true;
        options.dsn = true;
        options.binary_mime = true;
        options.smtp_utf8 = true;
        options.utf8_recipients = true;
        options.require_tls = true;
        options.deliver_by = true;
        options.future_release = true;
        options.mt_priority = true;
        options.rrvs = true;
        options.message_tracking = true;
        options.ignore_unknown_parameters = true;
        Self { options }
    }
}

impl LineParser for Commands {
    fn parse(&mut self, line: &Bytes, deviations: &mut Vec<Deviation>) -> Result<Value, Fault> {
        let read = CommandLine::read(line).and_then(|command| {
            let parsed = command.parse(&self.options)?;
            Ok((command.verb(), parsed))
        });
        let (verb, parsed) = read.map_err(|error| {
            let secret = error.verb == Some(Verb::Auth);
            Fault::new(error.kind, if secret { b"" } else { line }, error.offset)
        })?;
        deviations.extend(parsed.deviations);
        let mut value = arguments(&parsed.command);
        if let Some(object) = value.as_object_mut() {
            object.insert("verb".to_owned(), json!(verb.as_str()));
        }
        Ok(value)
    }
}

/// What stands behind the verb, part by part.
fn arguments(command: &Command) -> Value {
    match command {
        Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => client_name(name),
        Command::Mail { path, route, parameters } => {
            let (kind, mailbox) = match path {
                ReversePath::Null => ("null", None),
                ReversePath::Mailbox(mailbox) => ("mailbox", Some(mailbox)),
            };
            envelope(kind, mailbox, route.as_ref(), parameters)
        }
        Command::Rcpt { path, route, parameters } => {
            let (kind, mailbox) = match path {
                ForwardPath::Postmaster => ("postmaster", None),
                ForwardPath::Mailbox(mailbox) => ("mailbox", Some(mailbox)),
            };
            envelope(kind, mailbox, route.as_ref(), parameters)
        }
        Command::Bdat { size, last } => json!({ "size": size, "last": last }),
        Command::Vrfy { query, smtp_utf8 } | Command::Expn { query, smtp_utf8 } => {
            json!({ "argument": json::text(query), "smtputf8": smtp_utf8 })
        }
        Command::Help(argument) | Command::Other(_, argument) => json!({ "argument": json::text(argument) }),
        Command::Auth { mechanism, initial } => json!({
            "mechanism": json::text(mechanism),
            "initial_response": initial.as_ref().map(|initial| json::hidden(initial.expose())),
        }),
        _ => json!({}),
    }
}

fn client_name(name: &ClientName) -> Value {
    json!({ "name": name.as_str(), "domain": json::domain(name.domain()) })
}

fn envelope(
    kind: &str,
    mailbox: Option<&Mailbox>,
    route: Option<&SourceRoute>,
    parameters: &Parameters,
) -> Value {
    let path = match mailbox {
        None => json!({ "kind": kind }),
        Some(mailbox) => {
            json!({ "kind": kind, "mailbox": json::mailbox(mailbox), "text": mailbox.to_string() })
        }
    };
    let route: Option<Vec<_>> = route.map(|route| route.hosts().collect());
    let list: Vec<_> = parameters
        .iter()
        .map(|parameter| json!({ "keyword": parameter.keyword, "value": parameter.value }))
        .collect();
    let body = parameters.body().map(|body| match body {
        Body::SevenBit => "7BIT",
        Body::EightBitMime => "8BITMIME",
        Body::BinaryMime => "BINARYMIME",
        _ => "other",
    });
    json!({
        "path": path,
        "route": route,
        "parameters": list,
        "size": parameters.size(),
        "body": body,
        "auth": parameters.auth().map(ToString::to_string),
    })
}
