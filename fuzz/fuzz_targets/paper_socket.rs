//! See `src/paper_socket.rs`.
#![no_main]

strongroom_fuzz::target!(paper_socket);
