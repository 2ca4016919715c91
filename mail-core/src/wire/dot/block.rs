//! Whole blocks of content to which nothing has to be done: most content is nothing else.

/// Octets that are looked at at once: enough to be worth it, few enough that one dot spoils little.
pub(super) const BLOCK: usize = 256;

/// How many octets at the front need no change and hold no bare CR or LF, as far as whole blocks go: zero if the
/// first block has something to it, or is not complete. A CR at the end is never among them.
pub(super) fn clean_front(octets: &[u8], at_line_start: bool) -> usize {
    match octets.first() {
        Some(b'\n') => return 0,
        Some(b'.') if at_line_start => return 0,
        _ => {}
    }
    let mut length = 0;
    // Each octet is judged with the one behind it.
    while let Some(block) = octets.get(length..length + BLOCK + 1) {
        if !is_clean(block) {
            break;
        }
        length += BLOCK;
    }
    if length > 0 && octets.get(length - 1) == Some(&b'\r') { length - 1 } else { length }
}

/// Whether each CR stands before an LF, each LF behind a CR, and no dot behind an LF; but for the first octet, of
/// which only what follows is looked at. Without branches, so that many octets are compared at once.
fn is_clean(block: &[u8]) -> bool {
    let behind = block.get(1..).unwrap_or_default();
    let spoiled = block.iter().zip(behind).fold(0, |spoiled, (&octet, &next)| {
        let torn = u8::from(octet == b'\r') ^ u8::from(next == b'\n');
        let dot = u8::from(octet == b'\n') & u8::from(next == b'.');
        spoiled | torn | dot
    });
    spoiled == 0
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn lines(octets: usize) -> Vec<u8> {
        b"a line\r\n".iter().copied().cycle().take(octets).collect()
    }

    #[test]
    fn whole_blocks_are_taken_and_the_rest_is_left() {
        assert_eq!(clean_front(&lines(3 * BLOCK), true), 2 * BLOCK);
        assert_eq!(clean_front(&lines(3 * BLOCK + 1), true), 3 * BLOCK);
        assert_eq!(clean_front(&lines(BLOCK), true), 0);
        assert_eq!(clean_front(b"", true), 0);
    }

    #[test]
    fn a_cr_at_the_end_of_a_block_waits_for_its_lf() {
        let mut octets = lines(BLOCK + 8);
        octets.rotate_left(7);
        assert_eq!((octets[0], octets[BLOCK - 1]), (b'\n', b'\r'));
        octets[0] = b'a';
        assert_eq!(clean_front(&octets, false), BLOCK - 1);
    }

    #[test]
    fn anything_that_matters_spoils_its_block() {
        for at in 0..BLOCK {
            for spoil in [&b"\r"[..], b"\n", b"\r\n.", b"\r\r\n", b"\n\r"] {
                let mut octets = Vec::from([b'a'; 2 * BLOCK]);
                octets.splice(at..at, spoil.iter().copied());
                // The CR is the last octet of its block, and the dot belongs to the next one.
                let behind = at == BLOCK - 1 && spoil == b"\r\n.";
                let expected = if behind { BLOCK - 1 } else { 0 };
                assert_eq!(clean_front(&octets, false), expected, "{spoil:?} at {at}");
            }
        }
        assert_eq!(clean_front(&[b'.'; 2 * BLOCK], true), 0);
        assert_eq!(clean_front(&[b'.'; 2 * BLOCK], false), BLOCK);
    }
}
