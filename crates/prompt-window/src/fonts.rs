//! The program's own letters. Invariant: they live in this process's memory and are seen by this process alone.

use std::ffi::{CString, c_char, c_int, c_void};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;

/// Inter and JetBrains Mono, both under the SIL Open Font License; see the licences beside them.
const FONTS: [&[u8]; 5] = [
    include_bytes!("../fonts/inter-400.ttf"),
    include_bytes!("../fonts/inter-500.ttf"),
    include_bytes!("../fonts/inter-600.ttf"),
    include_bytes!("../fonts/jetbrains-mono-400.ttf"),
    include_bytes!("../fonts/jetbrains-mono-500.ttf"),
];

/// The fonts' files, in memory; they are read as long as anything is drawn.
pub(crate) struct Fonts(#[expect(dead_code, reason = "held open, not looked at")] Vec<File>);

/// Makes them known to this process. Without them the desktop's own letters are used.
pub(crate) fn load() -> io::Result<Fonts> {
    let mut files = Vec::new();
    for bytes in FONTS {
        let fd = rustix::fs::memfd_create("strongroom-font", rustix::fs::MemfdFlags::CLOEXEC)?;
        let mut file = File::from(fd);
        file.write_all(bytes)?;
        if !add(&format!("/proc/self/fd/{}", file.as_raw_fd())) {
            return Err(io::Error::other("a font could not be loaded"));
        }
        files.push(file);
    }
    Ok(Fonts(files))
}

#[link(name = "fontconfig")]
#[expect(unsafe_code, reason = "the declaration of that call")]
unsafe extern "C" {
    fn FcConfigAppFontAddFile(config: *mut c_void, file: *const c_char) -> c_int;
}

#[expect(unsafe_code, reason = "no binding of fontconfig's application fonts is safe; this is one call")]
fn add(path: &str) -> bool {
    let Ok(path) = CString::new(path) else { return false };
    // SAFETY: the path ends with a zero and outlives the call, which copies it; a null configuration means the current one.
    // It is called before any other thread exists.
    unsafe { FcConfigAppFontAddFile(std::ptr::null_mut(), path.as_ptr()) != 0 }
}
