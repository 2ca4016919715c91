//! The message of RETR and TOP (RFC 1939 §3, §5, §7): dots removed in place, chunk by chunk, up to
//! CR LF `.` CR LF and nothing else.

use bytes::BytesMut;
use mailwright_core::value::{Deviation, DeviationKind};
use mailwright_core::wire::{BareLineEnd, DotDecoder};

use super::event::Summary;
use super::{Client, Closed, Event, Phase};

impl Client {
    pub(super) fn content_decoder(&self) -> DotDecoder {
        // Bare line ends are content here; only a server's CR LF ends lines, unless it has none.
        DotDecoder::new(BareLineEnd::Pass)
            .keep_lone_dots(self.config.tolerance.keep_lone_dots)
            .lines_end_in(self.line_end)
    }

    /// Reads a piece of the message, if there is one.
    pub(super) fn content(&mut self, input: &mut BytesMut) -> bool {
        let Phase::Content(decoder) = &mut self.phase else { return false };
        let Some(id) = self.in_flight.front().map(|command| command.id) else { return false };
        let Some(piece) = decoder.decode(input) else { return false };
        let report = *decoder.report();
        if self.config.content_limit.is_some_and(|limit| report.octets > limit) {
            self.close(Closed::TooMuchContent);
            return true;
        }
        if !piece.content.is_empty() {
            self.events.push(Event::Content { id, chunk: piece.content });
        }
        if piece.end {
            self.in_flight.pop_front();
            self.phase = Phase::Replies;
            if report.lone_dots > 0 {
                let deviation = Deviation::new(DeviationKind::UnstuffedDot, report.first_lone_dot, b".");
                self.events.push(Event::Deviation(deviation));
            }
            self.events.push(Event::End { id, summary: Summary::Content(report) });
        }
        true
    }
}
