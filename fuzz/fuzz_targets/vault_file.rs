//! See `src/vault_file.rs`.
#![no_main]

strongroom_fuzz::target!(vault_file);
