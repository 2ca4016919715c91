//! THREAD: trees of messages, of which only the open parentheses are held. RFC 5256 §4, §5.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use mailwright_core::value::DeviationKind;

use super::{Token, TokenKind};
use crate::parse::response::event::ResponseEvent;
use crate::parse::response::limits::ResponseLimits;
use crate::parse::response::output::Output;
use crate::parse::response::tokens::Failure;
use crate::types::ThreadMember;

/// Where in the threads the reader is.
#[derive(Clone, Debug, Default)]
pub(super) struct ThreadReader {
    open: Vec<Open>,
    /// Parentheses open inside one that is nested too deeply, that included.
    too_deep: usize,
}

/// A parenthesis that is open.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    /// The depth of the last message in it, which what follows answers.
    last: Option<u32>,
    /// How many answers in parentheses have come, behind which nothing else can.
    nested: u32,
    /// Whether something in it could not be read.
    bad: bool,
}

impl ThreadReader {
    /// Whether no parenthesis is open.
    pub(super) fn is_complete(&self) -> bool {
        self.open.is_empty() && self.too_deep == 0
    }

    pub(super) fn read(&mut self, token: Token<'_>, limits: &ResponseLimits, output: &mut Output) {
        match token.kind {
            TokenKind::Open => self.opened(token, limits, output),
            TokenKind::Close if self.too_deep > 0 => self.too_deep -= 1,
            TokenKind::Close => {
                let Some(closed) = self.open.pop() else { return token.invalid("a thread", output) };
                if closed.last.is_none() && !closed.bad {
                    token.invalid("a message", output);
                } else if closed.nested == 1 {
                    // RFC 5256 §5: thread-nested = 2*thread-list
                    let kind = DeviationKind::ExtraParentheses;
                    output.deviation(kind, token.offset, token.octets, limits.tolerance);
                }
            }
            TokenKind::Word | TokenKind::Comma if self.too_deep > 0 => {}
            TokenKind::Word | TokenKind::Comma => {
                let fits = self.open.last().is_some_and(|open| open.nested == 0);
                match token.above_zero() {
                    Some(number) if fits => self.member(Some(number), output),
                    _ => {
                        token.invalid(if fits { "a message" } else { "a thread" }, output);
                        if let Some(open) = self.open.last_mut() {
                            open.bad = true;
                        }
                    }
                }
            }
        }
    }

    fn opened(&mut self, token: Token<'_>, limits: &ResponseLimits, output: &mut Output) {
        if self.too_deep > 0 || self.open.len() >= limits.nesting {
            if self.too_deep == 0 {
                output.invalid(token.octets, token.offset, Failure::TooDeep);
            }
            self.too_deep += 1;
            return;
        }
        if self.open.last().is_some_and(|open| open.last.is_none()) {
            // Answers to a message that is not there.
            self.member(None, output);
        }
        if let Some(open) = self.open.last_mut() {
            open.nested = open.nested.saturating_add(1);
        }
        self.open.push(Open::default());
    }

    /// A message in the innermost parenthesis: the answer to the one before it, or to that before the parenthesis.
    fn member(&mut self, number: Option<NonZeroU32>, output: &mut Output) {
        let mut around = self.open.iter_mut().rev();
        let Some(inner) = around.next() else { return };
        let answered = inner.last.or_else(|| around.next().and_then(|outer| outer.last));
        let depth = answered.map_or(0, |depth| depth.saturating_add(1));
        inner.last = Some(depth);
        output.push(ResponseEvent::ThreadMember(ThreadMember { number, depth }));
    }
}
