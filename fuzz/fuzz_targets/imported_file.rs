//! See `src/imported_file.rs`.
#![no_main]

strongroom_fuzz::target!(imported_file);
