//! IMAP: commands and responses of the codec, streams, sessions, and the view of a mailbox.

mod codec;
mod session;

use crate::Case;

pub use self::codec::{
    COMMANDS, Input, RESPONSES, command, encode, literal, literal_text, response, search, search_text,
};
pub use self::session::{append, stream};

/// So many of a command or response come in one buffer.
pub const BATCH: usize = 100;

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = RESPONSES.iter().map(response).collect();
    cases.push(search());
    cases.push(literal());
    cases.extend(COMMANDS.iter().map(command));
    cases.extend(RESPONSES.iter().filter(|input| input.encoded > 0.0).map(encode));
    cases.extend(session::cases());
    cases
}
