//! See `src/pasted_secret.rs`.
#![no_main]

strongroom_fuzz::target!(pasted_secret);
