//! See `src/paper_request.rs`.
#![no_main]

strongroom_fuzz::target!(paper_request);
