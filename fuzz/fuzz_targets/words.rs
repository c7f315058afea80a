//! See `src/words.rs`.
#![no_main]

strongroom_fuzz::target!(words);
