//! Two requests to the kernel that no safe library makes yet. Invariant: each is the request alone, with constant arguments.
#![expect(unsafe_code, reason = "system calls without a safe wrapper; each block says why it is sound")]

use std::io;

/// The first descriptor that is neither input, output nor the place for last words.
const FIRST_OTHER: libc::c_uint = 3;

/// Closes every descriptor but the first three. Must run before anything in this process owns another one.
pub(crate) fn close_other_descriptors() -> io::Result<()> {
    // SAFETY: no memory is passed; nothing owns these descriptors yet, so none is closed under its owner.
    match unsafe { libc::syscall(libc::SYS_close_range, FIRST_OTHER, libc::c_uint::MAX, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// From now on no memory that was writable, or is not yet mapped, becomes executable (memory-deny-write-execute).
pub(crate) fn deny_write_execute() -> io::Result<()> {
    let zero: libc::c_ulong = 0;
    // SAFETY: no memory is passed.
    match unsafe { libc::prctl(libc::PR_SET_MDWE, libc::c_ulong::from(libc::PR_MDWE_REFUSE_EXEC_GAIN), zero, zero, zero) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether [`deny_write_execute`] holds.
pub(crate) fn denies_write_execute() -> bool {
    let zero: libc::c_ulong = 0;
    // SAFETY: no memory is passed.
    let flags = unsafe { libc::prctl(libc::PR_GET_MDWE, zero, zero, zero, zero) };
    u32::try_from(flags).is_ok_and(|flags| flags & libc::PR_MDWE_REFUSE_EXEC_GAIN != 0)
}
