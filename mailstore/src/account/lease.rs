//! The exclusive right to a POP3 session on a mailbox.

use alloc::boxed::Box;
use core::any::Any;
use core::fmt;

#[cfg(feature = "std")]
pub use self::table::LeaseTable;

/// Held by a POP3 session; dropping it gives the right back at once.
pub struct Lease {
    _guard: Box<dyn Any + Send + Sync>,
}

impl Lease {
    /// Whatever `guard` holds until it is dropped.
    #[must_use]
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

/// Another session has the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another session has this mailbox open")]
#[expect(clippy::exhaustive_structs, reason = "it says all there is to say")]
pub struct InUse;

#[cfg(feature = "std")]
mod table {
    use alloc::collections::BTreeSet;
    use alloc::sync::Arc;
    use std::sync::{Mutex, PoisonError};

    use super::{InUse, Lease};
    use crate::identifier::{AccountId, MailboxId};

    type Held = Mutex<BTreeSet<(AccountId, MailboxId)>>;

    /// Leases of one process, for stores that only one process serves.
    #[derive(Clone, Debug, Default)]
    pub struct LeaseTable(Arc<Held>);

    struct Guard(Arc<Held>, (AccountId, MailboxId));

    impl LeaseTable {
        /// No leases.
        #[must_use]
        pub fn new() -> Self {
            Self::default()
        }

        /// Takes the lease of a mailbox.
        ///
        /// # Errors
        /// If somebody has it.
        pub fn take(&self, account: AccountId, mailbox: MailboxId) -> Result<Lease, InUse> {
            let key = (account, mailbox);
            if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
                Ok(Lease::new(Guard(Arc::clone(&self.0), key)))
            } else {
                Err(InUse)
            }
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_lease_is_exclusive_per_mailbox_and_free_at_once() {
            let table = LeaseTable::new();
            let (account, mailbox) = (AccountId::new(1), MailboxId::new(1));
            let lease = table.take(account, mailbox).unwrap();
            assert_eq!(table.take(account, mailbox).err(), Some(InUse));
            assert!(table.take(account, MailboxId::new(2)).is_ok());
            assert!(table.take(AccountId::new(2), mailbox).is_ok());
            drop(lease);
            assert!(table.take(account, mailbox).is_ok());
        }
    }
}
