//! See `src/prompt_message.rs`.
#![no_main]

strongroom_fuzz::target!(prompt_message);
