//! The root README, so that `cargo test` compiles and runs its code.
#![doc = include_str!("../../../README.md")]
