//! What can be set about a store. All of it is plain data with defaults.

/// Settings of a [`Store`](crate::Store).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoreConfig {
    /// Limits of the mail logic.
    pub mail: MailLimits,
    /// Limits and costs of the directory.
    pub directory: crate::directory::DirectoryConfig,
}

/// Limits of the mail logic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailLimits {
    /// Octets of a message. Default 35 MiB: 25 MiB of attachment in base64.
    pub message_octets: u64,
    /// Messages of a mailbox. Default 2^31.
    pub messages_per_mailbox: u32,
    /// Mailboxes of an account. Default 10 000.
    pub mailboxes_per_account: u32,
    /// Keywords of a mailbox. Default 1000: their names are kept for good. At most 65 535 are used.
    pub keywords_per_mailbox: usize,
    /// Octets that delivery may prepend to a message. Default 16 KiB; they are stored per account.
    pub prefix_octets: usize,
    /// Intents that one commit takes together. Default 64.
    pub group_intents: usize,
    /// Writers that may wait for one account; more are told to come later. Default 1000.
    pub waiting_writers: usize,
    /// Accounts that one delivery may reach. Default 1000: they commit together.
    pub accounts_per_delivery: usize,
    /// Attempts to commit when others write the same account through another process. Default 10.
    pub commit_attempts: usize,
    /// Records of the change log that are kept per account. Default 10 000.
    pub log_records: u64,
    /// Expunges that are remembered per mailbox. Default 100 000.
    pub vanished_rows: u64,
    /// Messages per column block: a change of flags rewrites 16 octets for each, a new message 62.
    /// Default 1024, at least 4.
    pub rows_per_block: usize,
}

impl Default for MailLimits {
    fn default() -> Self {
        Self {
            message_octets: 35 * 1024 * 1024,
            messages_per_mailbox: 1 << 31,
            mailboxes_per_account: 10_000,
            keywords_per_mailbox: 1000,
            prefix_octets: 16 * 1024,
            group_intents: 64,
            waiting_writers: 1000,
            accounts_per_delivery: 1000,
            commit_attempts: 10,
            log_records: 10_000,
            vanished_rows: 100_000,
            rows_per_block: 1024,
        }
    }
}
