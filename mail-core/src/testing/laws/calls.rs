//! Law 7: no order of calls and no octets panic.

use core::time::Duration;

use bytes::Buf as _;

use super::{Bounds, Broken};
use crate::session::{LayerError, Session, TlsInfo, Upgraded};
use crate::testing::{End, Host};
use crate::value::Instant;

/// Makes the calls that the octets of `script` stand for, in an order that no good driver and no good host
/// would choose: input as it comes or from `dictionary`, the end of the input, time forwards and back, layers
/// that nobody wanted, output taken or not, answers kept or given, and [`Host::meddle`]. Panics if the session
/// does. Any octets are a script, so it serves as a fuzz target.
///
/// # Errors
/// If `bounds` are passed, or if the session speaks behind its last event.
pub fn calls<S: Session, H: Host<S>>(
    (session, host): (S, H),
    dictionary: &[&[u8]],
    script: &[u8],
    bounds: &Bounds,
) -> Result<(), Broken> {
    let mut end = End::new(session, host);
    end.records = false;
    let mut script = script;
    while let Some((&call, rest)) = script.split_first() {
        // Most calls have a parameter.
        let (parameter, rest) = match rest.split_first() {
            Some((&parameter, rest)) => (parameter, rest),
            None => (0, rest),
        };
        script = rest;
        match call % 20 {
            0..4 => {
                let count = usize::from(parameter % 32).min(script.len());
                let (octets, rest) = script.split_at(count);
                script = rest;
                end.input.extend_from_slice(octets);
                end.take_input();
            }
            4..8 => {
                let index = usize::from(parameter).checked_rem(dictionary.len()).unwrap_or(0);
                end.input.extend_from_slice(dictionary.get(index).copied().unwrap_or_default());
                end.take_input();
            }
            8 => {
                end.take_input();
            }
            9 | 10 => {
                end.poll()?;
            }
            11 => {
                let count = usize::from(parameter).saturating_mul(64);
                end.session.transmit().advance(count);
            }
            12 | 13 => {
                end.host.work(&mut end.session, usize::from(parameter));
            }
            14..17 => end.host.meddle(&mut end.session, parameter),
            17 => {
                // Sometimes seconds, sometimes minutes, sometimes the clock goes back.
                let seconds = u64::from(parameter) * if parameter % 2 == 0 { 1 } else { 5 };
                let told =
                    if parameter > 250 { Instant::ORIGIN } else { end.now + Duration::from_secs(seconds) };
                end.now = end.now.max(told);
                end.session.handle_timeout(told);
            }
            18 => {
                let upgraded = match parameter % 6 {
                    0..3 => Upgraded::Tls(TlsInfo::default()),
                    3 => Upgraded::Deflate,
                    4 => Upgraded::DeflateEnd,
                    _ => Upgraded::Failed(LayerError::NotConfigured),
                };
                end.session.handle_upgrade(upgraded, end.now);
            }
            // The end of the input ends most sessions: rarely.
            _ if parameter % 8 == 0 => end.session.handle_eof(end.now),
            _ => end.turn()?,
        }
        bounds.check(&mut end.session, end.input.len())?;
    }
    end.poll()?;
    Ok(())
}
