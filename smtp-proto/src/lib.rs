#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod client;
pub mod content;
mod encode;
pub mod parse;
pub mod server;
pub mod trace;
pub mod types;
