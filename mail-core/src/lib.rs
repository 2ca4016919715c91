#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "std")]
pub mod io;
pub mod session;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;
pub mod wire;
