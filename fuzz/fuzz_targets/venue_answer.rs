//! See `src/venue_answer.rs`.
#![no_main]

strongroom_fuzz::target!(venue_answer);
