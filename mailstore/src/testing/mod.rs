//! The contract that every [`Engine`](crate::engine::Engine) and every [`Account`](crate::account::Account)
//! must keep, to be run on your own, and [`Faulty`], an engine that fails on purpose.
//!
//! A broken contract panics with the sentence that does not hold:
//!
//! ```
//! use mailwright_store::engine::Memory;
//! mailwright_store::testing::contract::engine(Memory::new);
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a suite that runs in tests: a broken contract panics"
)]

pub mod contract;
mod faulty;

pub use self::faulty::{Fault, Faulty, FaultySnapshot, FaultyWriter};
