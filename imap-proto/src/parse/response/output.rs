//! [`Output`]: events that were found and not handed on.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Deviation, DeviationKind, Excerpt, Tolerance};

use super::error::{InvalidResponse, ResponseError, ResponseErrorKind};
use super::event::ResponseEvent;
use super::limits::ResponseLimits;
use super::tokens::Tokens;
use crate::wire::{MOST_RAW, Unit};

#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    pub(super) events: VecDeque<ResponseEvent>,
    /// What was read although it should not be, in strict mode: the first in a response.
    pub(super) fault: Option<Deviation>,
}

impl Output {
    pub(super) fn push(&mut self, event: ResponseEvent) {
        self.events.push_back(event);
    }

    /// Hands an event on: at once, if none waits, since to put it aside costs more than to make it.
    pub(super) fn hand_on(&mut self, event: ResponseEvent) -> Option<ResponseEvent> {
        if self.events.is_empty() {
            return Some(event);
        }
        self.push(event);
        None
    }

    /// Reads `unit` by `read`, and hands on the deviations.
    pub(super) fn read<T>(
        &mut self,
        unit: &Unit,
        limits: &ResponseLimits,
        read: impl FnOnce(&mut Tokens<'_>) -> Result<T, ResponseErrorKind>,
    ) -> Result<T, ResponseError> {
        let mut deviations = Vec::new();
        let mut tokens = Tokens::new(unit, limits, &mut deviations);
        let result = if unit.cut { Err(ResponseErrorKind::TooLarge) } else { read(&mut tokens) };
        let result = result.map_err(|failure| tokens.error(failure));
        if result.is_ok() {
            self.tell(deviations);
        }
        result
    }

    /// Hands deviations on; mostly there are none.
    pub(super) fn tell(&mut self, deviations: Vec<Deviation>) {
        if !deviations.is_empty() {
            self.events.extend(deviations.into_iter().map(ResponseEvent::Deviation));
        }
    }

    /// Reports octets that should not stand where they do; in strict mode they are refused later.
    pub(super) fn deviation(
        &mut self,
        kind: DeviationKind,
        offset: u64,
        octets: &[u8],
        tolerance: Tolerance,
    ) {
        self.tolerate(Deviation::new(kind, offset, octets), tolerance);
    }

    /// The same of a deviation that was found before.
    pub(super) fn tolerate(&mut self, deviation: Deviation, tolerance: Tolerance) {
        match tolerance {
            Tolerance::Strict => self.fault = self.fault.take().or(Some(deviation)),
            _ => self.push(ResponseEvent::Deviation(deviation)),
        }
    }

    /// Reports what was left out, in any mode.
    pub(super) fn note(&mut self, offset: u64, octets: &[u8]) {
        self.push(ResponseEvent::Deviation(Deviation::new(DeviationKind::Ignored, offset, octets)));
    }

    /// In strict mode, refuses what was read although it should not be.
    pub(super) fn refuse_fault(&mut self) {
        if let Some(fault) = self.fault.take() {
            self.not_tolerated(Bytes::copy_from_slice(fault.bytes.as_bytes()), fault);
        }
    }

    pub(super) fn not_tolerated(&mut self, raw: Bytes, fault: Deviation) {
        let kind = ResponseErrorKind::NotTolerated(fault.kind);
        self.report(raw, ResponseError { kind, offset: fault.offset, near: fault.bytes });
    }

    /// Reports octets that cannot be read.
    pub(super) fn invalid(&mut self, octets: &[u8], offset: u64, kind: ResponseErrorKind) {
        let near = Excerpt::new(octets);
        let raw = Bytes::copy_from_slice(octets.get(..MOST_RAW).unwrap_or(octets));
        self.report(raw, ResponseError { kind, offset, near });
    }

    pub(super) fn invalid_unit(&mut self, unit: &Unit, kind: ResponseErrorKind) {
        let near = Excerpt::new(&unit.octets);
        self.report(unit.octets.clone(), ResponseError { kind, offset: unit.offset, near });
    }

    pub(super) fn report(&mut self, mut raw: Bytes, error: ResponseError) {
        if raw.len() > MOST_RAW {
            // A copy, so that the rest is not kept.
            raw = Bytes::copy_from_slice(raw.get(..MOST_RAW).unwrap_or_default());
        }
        self.push(ResponseEvent::Invalid(InvalidResponse { raw, error }));
    }
}
