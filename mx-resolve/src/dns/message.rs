//! [`Message`]: what a driver took out of a response, before anything is judged.

use alloc::vec::Vec;

use super::record::{RecordData, Security};
use crate::name::DomainName;

/// The code of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseCode {
    /// No error.
    NoError,
    /// The server did not understand the question.
    FormErr,
    /// The server failed.
    ServFail,
    /// The name does not exist.
    NxDomain,
    /// The server does not do this kind of question.
    NotImp,
    /// The server does not want to answer.
    Refused,
    /// Another code.
    Other(u16),
}

impl From<u16> for ResponseCode {
    fn from(code: u16) -> Self {
        match code {
            0 => Self::NoError,
            1 => Self::FormErr,
            2 => Self::ServFail,
            3 => Self::NxDomain,
            4 => Self::NotImp,
            5 => Self::Refused,
            other => Self::Other(other),
        }
    }
}

/// A record of the answer section.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Whose it is.
    pub owner: DomainName,
    /// Seconds that it may be kept.
    pub ttl: u32,
    /// How far DNSSEC vouches for it.
    pub security: Security,
    /// What it says.
    pub data: RecordData,
}

impl Record {
    /// A record that nobody vouches for.
    #[must_use]
    pub const fn new(owner: DomainName, ttl: u32, data: RecordData) -> Self {
        Self { owner, ttl, security: Security::Unchecked, data }
    }
}

/// The numbers of an SOA record of the authority section: how long an absence may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartOfAuthority {
    /// The lifetime of the record itself, in seconds.
    pub ttl: u32,
    /// Its last field.
    pub minimum: u32,
}

impl StartOfAuthority {
    /// The two numbers.
    #[must_use]
    pub const fn new(ttl: u32, minimum: u32) -> Self {
        Self { ttl, minimum }
    }
}

/// A response to a question. The driver has checked that it is one: id, question, source.
///
/// Records whose owner is no [`DomainName`], and records of types that the machine never asks for, are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The response code.
    pub code: ResponseCode,
    /// The response did not fit, not even over TCP.
    pub truncated: bool,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The SOA record of the authority section, if there is one.
    pub authority: Option<StartOfAuthority>,
    /// How far DNSSEC vouches for an absence.
    pub denial: Security,
    /// The extended error of the response (RFC 8914), if it has one.
    pub extended_error: Option<u16>,
}

impl Message {
    /// A response without anything in it.
    #[must_use]
    pub const fn new(code: ResponseCode) -> Self {
        Self {
            code,
            truncated: false,
            answers: Vec::new(),
            authority: None,
            denial: Security::Unchecked,
            extended_error: None,
        }
    }
}
