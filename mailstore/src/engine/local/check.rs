//! What the engine can check by itself: the index against the segments, and the log. It changes nothing.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::io;

use super::body::BodyName;
use super::format;
use super::recover::{Damage, Follow};
use super::segments::file_name;
use super::{Local, lock};
use crate::engine::{IoError, ReadError};
use crate::identifier::BlobId;

/// How much a check reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckDepth {
    /// The headers of bodies.
    Quick,
    /// Every octet: bodies, and the log from its start.
    Full,
}

/// What a check found. One line in `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A body cannot be read.
    Body {
        /// Its name.
        blob: BlobId,
        /// What is wrong with it.
        what: String,
    },
    /// The log is interrupted.
    Log(Damage),
    /// The log ends before the group that the index applied last.
    LogEnds {
        /// The last group found.
        found: u64,
        /// The last group applied.
        applied: u64,
    },
    /// A segment's header is damaged.
    Segment(u32),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body { blob, what } => write!(f, "error: body {blob}: {what}"),
            Self::Log(damage) => write!(f, "error: {damage}"),
            Self::LogEnds { found, applied } => {
                write!(f, "error: the log ends with group {found}, but group {applied} was applied")
            }
            Self::Segment(number) => write!(f, "error: {}: its header is damaged", file_name(*number)),
        }
    }
}

fn failed(error: io::Error) -> ReadError {
    ReadError::Io(IoError::new(error))
}

impl Local {
    /// Checks the index against the segments. Writers may go on; they wait while the log is read.
    ///
    /// # Errors
    /// If the check cannot be made.
    pub fn check(&self, depth: CheckDepth) -> Result<Vec<Finding>, ReadError> {
        let mut findings = Vec::new();
        // No group moves meanwhile: what is found is one state.
        let writer = lock(&self.shared.writer);
        let is_full = depth == CheckDepth::Full;
        let mut bodies = Vec::new();
        self.shared.index.bodies(|name, place| bodies.push((name, place)))?;
        for (name, place) in bodies {
            let what = self.shared.segments.verify(name, place, is_full).map_err(failed)?;
            findings.extend(what.and_then(|what| body(name, what)));
        }
        findings.extend(self.shared.damage.map(Finding::Log));
        if is_full && self.shared.damage.is_none() {
            self.check_log(writer.state.sequence, &mut findings).map_err(failed)?;
        }
        Ok(findings)
    }

    fn check_log(&self, applied: u64, findings: &mut Vec<Finding>) -> io::Result<()> {
        let segments = &self.shared.segments;
        for number in segments.numbers()? {
            if segments.get(number)?.is_none() {
                findings.push(Finding::Segment(number));
            }
        }
        let mut follow = Follow::new(segments)?;
        loop {
            while let Some((segment, group)) = follow.next()? {
                let mut records = format::records(&group.records, segment.seed, group.at);
                if records.any(|record| record.is_none()) {
                    findings.push(Finding::Log(Damage {
                        segment: segment.number,
                        offset: group.at,
                        after: group.header.sequence.saturating_sub(1),
                    }));
                }
            }
            let Some((segment, group)) = follow.find_later()? else { break };
            findings.push(Finding::Log(follow.damage()));
            follow.jump(&group, segment);
        }
        if follow.sequence() < applied {
            findings.push(Finding::LogEnds { found: follow.sequence(), applied });
        }
        Ok(())
    }
}

fn body(name: BodyName, what: String) -> Option<Finding> {
    Some(Finding::Body { blob: name.blob()?, what })
}
