//! [`Failure`]: why a command did not succeed, and the exit code that says so.

use core::fmt;
use std::process::ExitCode;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for something that cannot be: exit code 2.
    Usage(String),
    /// It could not be done: exit code 1.
    Failed(String),
    /// The server refused the log-in, before anything was done: exit code 1.
    Refused(String),
    /// Part of it could not be done, and that was said already: exit code 1.
    Partial,
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::Failed(message.to_string())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Refused(_) | Self::Partial => ExitCode::FAILURE,
        }
    }
}

/// Why a log-in failed.
#[derive(Debug)]
pub(crate) enum LoginFailure {
    /// The server refused the name or the password.
    Refused(String),
    /// Anything else.
    Other(String),
}

impl LoginFailure {
    /// An error of a log-in: that of the server, or another.
    pub(crate) fn new(is_refusal: bool, error: impl fmt::Display) -> Self {
        if is_refusal { Self::Refused(error.to_string()) } else { Self::Other(error.to_string()) }
    }
}

impl From<String> for LoginFailure {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error)
    }
}
