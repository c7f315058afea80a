//! See `src/provider_message.rs`.
#![no_main]

strongroom_fuzz::target!(provider_message);
