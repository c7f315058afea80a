//! See `src/venue_stream.rs`.
#![no_main]

strongroom_fuzz::target!(venue_stream);
