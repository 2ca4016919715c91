//! What can be set about the directory.

/// Limits and costs of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectoryConfig {
    /// Between user and detail in `user+detail@domain`; `None` = no such addresses. Default `+`.
    pub detail_delimiter: Option<char>,
    /// Aliases of aliases. Default 10.
    pub alias_depth: usize,
    /// Addresses that one address may stand for. Default 1000.
    pub alias_targets: usize,
    /// Password hashes that are computed at a time. Default 2: each takes 19 MiB and tens of milliseconds.
    pub hash_jobs: usize,
    /// Log-ins that may wait for a hash; more fail for the moment. Default 100.
    pub hash_waiting: usize,
    /// Cost of new password hashes.
    pub password: PasswordCost,
}

impl Default for DirectoryConfig {
    fn default() -> Self {
        Self {
            detail_delimiter: Some('+'),
            alias_depth: 10,
            alias_targets: 1000,
            hash_jobs: 2,
            hash_waiting: 100,
            password: PasswordCost::default(),
        }
    }
}

/// Cost of a password hash and of SCRAM keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordCost {
    /// Memory of argon2id in KiB. Default 19 456 (19 MiB).
    pub memory_kib: u32,
    /// Passes of argon2id. Default 2.
    pub passes: u32,
    /// Lanes of argon2id. Default 1.
    pub lanes: u32,
    /// Iterations of SCRAM-SHA-256. Default 4096 (RFC 7677 §4); servers and clients compute them at each log-in.
    pub scram_iterations: u32,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1, scram_iterations: 4096 }
    }
}

impl PasswordCost {
    /// The cheapest that is valid: for tests only.
    #[must_use]
    pub const fn for_tests() -> Self {
        Self { memory_kib: 8, passes: 1, lanes: 1, scram_iterations: 1 }
    }
}
