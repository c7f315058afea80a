//! A file to import inside of the window's main loop. Invariant: this process moves the file's bytes and understands none of
//! them; the walled reader gets its time and no second file.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::rc::Rc;

use gtk::glib::{self, ControlFlow, IOCondition};
use rustix::fs::{Mode, OFlags};
use strongroom_prompt::import::child::{Reader, Said, patience};
use strongroom_prompt::import::{Reading, Trouble};

/// Gives a reader a passphrase, which may be empty, and a file's bytes; `done` hears what is in it, once.
pub(crate) fn read(mut reader: Reader, file: &[u8], passphrase: &[u8], done: impl FnOnce(Result<Reading, Trouble>) + 'static) {
    if let Err(trouble) = reader.feed(file, passphrase) {
        return done(Err(trouble));
    }
    let Some(mut output) = reader.answers() else { return done(Err(Trouble::NoAnswer)) };
    let done = Rc::new(Cell::new(Some(done)));
    // Dropping it ends it.
    let reader = Rc::new(RefCell::new(Some(reader)));
    let (overdue, late) = (Rc::clone(&done), Rc::clone(&reader));
    let mut said = Said::default();
    glib::unix_fd_add_local(output.as_raw_fd(), IOCondition::IN | IOCondition::HUP | IOCondition::ERR, move |_, _| {
        let Some(result) = said.more(&mut output) else { return ControlFlow::Continue };
        reader.borrow_mut().take();
        if let Some(done) = done.take() {
            done(result);
        }
        ControlFlow::Break
    });
    glib::timeout_add_local_once(patience(passphrase), move || {
        late.borrow_mut().take();
        if let Some(done) = overdue.take() {
            done(Err(Trouble::NoAnswer));
        }
    });
}

/// Opens a file that a person chose; something that is no file is refused before anything is read.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}
