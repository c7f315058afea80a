//! See `src/audit_log.rs`.
#![no_main]

strongroom_fuzz::target!(audit_log);
