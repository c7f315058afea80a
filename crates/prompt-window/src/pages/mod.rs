//! The pages, one for each question. Invariant: a page knows how to ask; what comes of an answer is the signer's matter.

mod cells;
pub(crate) mod code;
pub(crate) mod codes;
pub(crate) mod import;
pub(crate) mod kit;
pub(crate) mod new_password;
pub(crate) mod otp;
pub(crate) mod password;
mod preview;
pub(crate) mod recover;
