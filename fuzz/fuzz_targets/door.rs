//! See `src/door.rs`.
#![no_main]

strongroom_fuzz::target!(door);
