//! See `src/signer_frame.rs`.
#![no_main]

strongroom_fuzz::target!(signer_frame);
