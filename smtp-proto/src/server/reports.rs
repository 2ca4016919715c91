//! What is reported of a client that departs from the RFC and is obeyed all the same: RFC 2920 §3.1.

use mailwright_core::value::{Deviation, DeviationKind};

use super::replies::{Asked, Slot};
use super::{Event, Server};
use crate::parse::CommandLine;
use crate::types::Verb;

impl Server {
    pub(super) fn deviation(&mut self, kind: DeviationKind, offset: usize, bytes: &[u8]) {
        self.events.push_back(Event::Deviation(Deviation::new(kind, offset as u64, bytes)));
    }

    /// Reports octets that came before their time. Of them only the name of a command is shown: anything else
    /// may be a password, or a message.
    pub(super) fn report_early(&mut self, kind: DeviationKind, octets: &[u8]) {
        self.early_reported = true;
        self.early = self.early.saturating_add(1);
        let word = octets.split(|octet| octet.is_ascii_whitespace()).next().unwrap_or_default();
        let name = if Verb::find(word).is_some() { word } else { &[] };
        self.deviation(kind, 0, name);
    }

    /// RFC 2920 §3.1: what stands behind a command that must be the last of its group, or behind any command
    /// where PIPELINING was not announced, is reported and executed in order.
    pub(super) fn report_group(&mut self, command: Option<&CommandLine<'_>>, behind: &[u8]) {
        // What stands behind these has reports, or a fate, of its own.
        let apart = matches!(command.map(CommandLine::verb), Some(Verb::Data | Verb::StartTls | Verb::Quit));
        let proper = self.takes_groups() && !command.is_some_and(CommandLine::ends_group);
        if !behind.is_empty() && !apart && !proper {
            self.report_early(DeviationKind::ImproperPipelining, behind);
        }
    }

    /// The same for octets that come while the host has not answered.
    pub(super) fn report_waiting(&mut self, input: &[u8]) {
        let takes_groups = self.takes_groups();
        let open = self.pending.front().is_some_and(|slot| {
            // What stands behind BDAT is its chunk.
            let chunk = matches!(slot, Slot::Open { asked: Asked::Data { chunk: Some(_) }, .. });
            slot.ends_group() || !takes_groups && !chunk
        });
        if open && !input.is_empty() && !self.early_reported {
            self.report_early(DeviationKind::ImproperPipelining, input);
        }
    }

    /// The same for a command that stands behind content, or is read while another is not answered.
    pub(super) fn report_unanswered(&mut self, input: &[u8]) {
        if !self.takes_groups() && !input.is_empty() && !self.early_reported {
            self.report_early(DeviationKind::ImproperPipelining, input);
        }
    }

    /// Whether PIPELINING was announced.
    fn takes_groups(&self) -> bool {
        self.extended && (self.config.pipelining || self.config.is_lmtp())
    }
}
