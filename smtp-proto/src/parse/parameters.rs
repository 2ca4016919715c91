//! The parameters of MAIL and RCPT: octets to [`Parameters`]. RFC 5321 §4.1.2, and the RFC of each parameter.
//!
//! Which of them are in force, the options say; what is not in force is refused or passed over, and kept as it came
//! either way.

use mailwright_core::value::{AddressOptions, Mailbox, ReversePath};

use super::command::{CommandError, CommandErrorKind, CommandLine, CommandOptions};
use crate::types::xtext::decode_xtext;
use crate::types::{Body, EnvelopeId, Hold, OriginalRecipient, Parameter, Parameters, Verb};

type Read = Result<(), CommandErrorKind>;

impl CommandLine<'_> {
    /// The parameters from `start` to the end of the line.
    pub(super) fn parameters(
        &self,
        start: usize,
        options: &CommandOptions,
    ) -> Result<Parameters, CommandError> {
        match self.text().get(start) {
            None => return Ok(Parameters::default()),
            Some(b' ') => {}
            Some(_) => return Err(self.error(CommandErrorKind::BadArgument, start)),
        }
        let mut parameters = Parameters::checked(self.view(start + 1));
        let mut unknown = None;
        let mut huge = None;
        let mut offset = start + 1;
        for text in self.text().get(start + 1..).unwrap_or_default().split(|&octet| octet == b' ') {
            let parameter = Parameter::parse(text)
                .map_err(|at| self.error(CommandErrorKind::BadParameter, offset + at))?;
            match self.parameter(&parameter, options, &mut parameters) {
                Ok(()) => {}
                // 501 goes before 555, 555 before 552.
                Err(CommandErrorKind::UnknownParameter) => {
                    unknown.get_or_insert(offset);
                }
                Err(CommandErrorKind::HugeSize) => {
                    huge.get_or_insert(offset);
                }
                Err(kind) => return Err(self.error(kind, offset)),
            }
            offset += text.len() + 1;
        }
        // RFC 3885 §3.2: with MTRK there must be an ENVID.
        if parameters.tracking().is_some() && parameters.envelope_id().is_none() {
            return Err(self.error(CommandErrorKind::BadParameter, start + 1));
        }
        // RFC 6531 §3.3: a value may go beyond ASCII only where SMTPUTF8 stands on MAIL.
        let utf8 = if self.verb == Verb::Mail { parameters.smtp_utf8 } else { options.utf8_recipients };
        if let (Some(at), false) = (self.beyond_ascii(start), utf8) {
            return Err(self.error(CommandErrorKind::BadParameter, at));
        }
        match (unknown, huge) {
            (Some(at), _) if !options.ignore_unknown_parameters => {
                Err(self.error(CommandErrorKind::UnknownParameter, at))
            }
            (_, Some(at)) => Err(self.error(CommandErrorKind::HugeSize, at)),
            _ => Ok(parameters),
        }
    }

    fn parameter(
        &self,
        parameter: &Parameter<'_>,
        options: &CommandOptions,
        parameters: &mut Parameters,
    ) -> Read {
        match self.verb {
            Verb::Mail => self.mail_parameter(parameter, options, parameters),
            _ => self.rcpt_parameter(parameter, options, parameters),
        }
    }

    fn mail_parameter(
        &self,
        parameter: &Parameter<'_>,
        options: &CommandOptions,
        parameters: &mut Parameters,
    ) -> Read {
        let is = |keyword: &str, in_force: bool| in_force && parameter.keyword.eq_ignore_ascii_case(keyword);
        if is("SIZE", options.size) {
            return size(parameter, parameters);
        }
        if is("BODY", options.eight_bit_mime) {
            // RFC 6152 §2: body-value = "7BIT" / "8BITMIME"; RFC 3030 §3: / "BINARYMIME"
            let body = match parameter.value {
                Some(value) if value.eq_ignore_ascii_case("7BIT") => Body::SevenBit,
                Some(value) if value.eq_ignore_ascii_case("8BITMIME") => Body::EightBitMime,
                Some(value) if options.binary_mime && value.eq_ignore_ascii_case("BINARYMIME") => {
                    Body::BinaryMime
                }
                _ => return Err(CommandErrorKind::BadParameter),
            };
            return once(&mut parameters.body, body);
        }
        if is("SMTPUTF8", options.smtp_utf8) {
            return flag(parameter, &mut parameters.smtp_utf8);
        }
        if is("REQUIRETLS", options.require_tls) {
            return flag(parameter, &mut parameters.require_tls);
        }
        if is("AUTH", options.auth) {
            let value = parameter.value.and_then(auth_mailbox).ok_or(CommandErrorKind::BadParameter)?;
            return once(&mut parameters.rare.get_or_insert_default().auth, value);
        }
        // RFC 3461 §4.5: RET and ENVID on MAIL, NOTIFY and ORCPT on RCPT, each once.
        if is("RET", options.dsn) {
            return given(parameter, |value| {
                once(&mut parameters.rare.get_or_insert_default().ret, parsed(value)?)
            });
        }
        // RFC 3885 §3: ENVID and ORCPT come with MTRK too.
        if is("ENVID", options.dsn || options.message_tracking) {
            return given(parameter, |value| {
                let id = EnvelopeId::parse(&self.view_of(value));
                once(&mut parameters.rare.get_or_insert_default().envelope_id, id.map_err(bad)?)
            });
        }
        if is("BY", options.deliver_by) {
            return given(parameter, |value| {
                once(&mut parameters.rare.get_or_insert_default().deliver_by, parsed(value)?)
            });
        }
        // RFC 4865 §4.2: one of them, and once.
        if is("HOLDFOR", options.future_release) {
            return given(parameter, |value| {
                once(&mut parameters.rare.get_or_insert_default().hold, Hold::For(parsed(value)?))
            });
        }
        if is("HOLDUNTIL", options.future_release) {
            return given(parameter, |value| {
                let until = Hold::until(value).map_err(bad)?;
                once(&mut parameters.rare.get_or_insert_default().hold, until)
            });
        }
        if is("MTRK", options.message_tracking) {
            return given(parameter, |value| {
                once(&mut parameters.rare.get_or_insert_default().tracking, parsed(value)?)
            });
        }
        if is("MT-PRIORITY", options.mt_priority) {
            return given(parameter, |value| {
                once(&mut parameters.rare.get_or_insert_default().priority, parsed(value)?)
            });
        }
        Err(CommandErrorKind::UnknownParameter)
    }

    fn rcpt_parameter(
        &self,
        parameter: &Parameter<'_>,
        options: &CommandOptions,
        parameters: &mut Parameters,
    ) -> Read {
        let is = |keyword: &str, in_force: bool| in_force && parameter.keyword.eq_ignore_ascii_case(keyword);
        if is("NOTIFY", options.dsn) {
            return given(parameter, |value| {
                once(&mut parameters.rare.get_or_insert_default().notify, parsed(value)?)
            });
        }
        if is("ORCPT", options.dsn || options.message_tracking) {
            return given(parameter, |value| {
                let original = OriginalRecipient::parse(&self.view_of(value));
                once(&mut parameters.rare.get_or_insert_default().original_recipient, original.map_err(bad)?)
            });
        }
        if is("RRVS", options.rrvs) {
            return given(parameter, |value| {
                once(&mut parameters.rare.get_or_insert_default().valid_since, parsed(value)?)
            });
        }
        Err(CommandErrorKind::UnknownParameter)
    }
}

/// RFC 1870 §3: size-value = 1*20DIGIT; here any number of digits is read, and judged by its value.
fn size(parameter: &Parameter<'_>, parameters: &mut Parameters) -> Read {
    let digits = parameter.value.ok_or(CommandErrorKind::BadParameter)?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(CommandErrorKind::BadParameter);
    }
    let digit = |value: u64, digit: u8| value * 10 + u64::from(digit & 0x0F);
    // So many digits are always below 2 to the 64.
    let value = if digits.len() < 20 { Some(digits.bytes().fold(0, digit)) } else { digits.parse().ok() };
    if parameters.size.is_some() {
        return Err(CommandErrorKind::RepeatedParameter);
    }
    parameters.size = Some(value.unwrap_or(u64::MAX));
    if value.is_some() { Ok(()) } else { Err(CommandErrorKind::HugeSize) }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Read {
    if slot.is_some() {
        return Err(CommandErrorKind::RepeatedParameter);
    }
    *slot = Some(value);
    Ok(())
}

/// A parameter without value.
fn flag(parameter: &Parameter<'_>, flag: &mut bool) -> Read {
    if parameter.value.is_some() {
        return Err(CommandErrorKind::BadParameter);
    }
    if core::mem::replace(flag, true) { Err(CommandErrorKind::RepeatedParameter) } else { Ok(()) }
}

/// A parameter with a value.
fn given(parameter: &Parameter<'_>, read: impl FnOnce(&str) -> Read) -> Read {
    read(parameter.value.ok_or(CommandErrorKind::BadParameter)?)
}

fn parsed<T: core::str::FromStr>(value: &str) -> Result<T, CommandErrorKind> {
    value.parse().map_err(bad)
}

fn bad<E>(_: E) -> CommandErrorKind {
    CommandErrorKind::BadParameter
}

/// RFC 4954 §5: the xtext of `<>` or of an address.
fn auth_mailbox(value: &str) -> Option<ReversePath> {
    let decoded = decode_xtext(value.as_bytes())?;
    if decoded == b"<>" {
        return Some(ReversePath::Null);
    }
    let mailbox = Mailbox::parse(&decoded, &AddressOptions::default()).ok()?;
    mailbox.is_ascii().then_some(ReversePath::Mailbox(mailbox))
}
