//! Exit codes: part of the interface, so scripts may rely on them.

/// All went well.
pub(crate) const FINE: u8 = 0;
/// The work was done and its answer is no: a check failed, files could not be read.
pub(crate) const GATE_FAILED: u8 = 1;
/// The call itself is wrong: arguments, configuration, SQL.
pub(crate) const USAGE: u8 = 2;
/// The server could not be reached, or refused.
pub(crate) const SERVER: u8 = 3;

/// An error that the user can mend, with the code the process ends with.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Expected {
    /// Exit code.
    pub(crate) code: u8,
    /// What happened and what to do.
    pub(crate) message: String,
}

/// The call is wrong.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    Expected { code: USAGE, message: message.into() }.into()
}

/// The answer is no.
pub(crate) fn gate_failed(message: impl Into<String>) -> anyhow::Error {
    Expected { code: GATE_FAILED, message: message.into() }.into()
}

/// The server is away or refuses.
pub(crate) fn server(message: impl Into<String>) -> anyhow::Error {
    Expected { code: SERVER, message: message.into() }.into()
}

/// The code for an error: its own where it is expected, else that of a failed gate.
pub(crate) fn code_of(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Expected>().map_or(GATE_FAILED, |expected| expected.code)
}
