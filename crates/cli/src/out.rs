//! Standard output. Invariant: whoever stops reading (`| head`) stops nothing: what was asked for is done, and its exit code is told.

/// As the standard one, but for a reader that is gone.
macro_rules! println {
    ($($told:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($told)*);
    }};
}

/// The same without an end of the line.
macro_rules! print {
    ($($told:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stdout(), $($told)*);
    }};
}
