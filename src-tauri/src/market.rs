//! Market frames from the desk to the page. Invariant: there is one frame that waits, never a queue; what the page did
//! not take becomes part of the next one, and a page that hangs stops the sending, not the desk.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use strongroom_desk_api::market::{FRAME_EVERY_MS, FRAME_SILENCE_MAX_MS};
use strongroom_desk_api::{Ask, Frame, Tell, Watch};
use strongroom_model::Timestamp;
use tauri::ipc::Channel;

use crate::desk::Desk;
use crate::views::Push;

/// Frames that were sent and not acknowledged; with so many nothing more is sent. One: a second would grow old in the page.
const IN_FLIGHT_MAX: u64 = 1;
/// A desk that says nothing for so long is taken for gone.
const SILENCE_MAX: Duration = Duration::from_millis(3 * FRAME_SILENCE_MAX_MS);
/// Before the desk is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// Where pushes go, and what waits to go.
#[derive(Default)]
struct Outlet {
    channel: Option<Channel<Push>>,
    frame: Option<Frame>,
    /// Frames sent over this channel; the page sees this as their number.
    sent: u64,
    acked: u64,
    wanted: Option<Watch>,
    /// Counts changes of `wanted`.
    turn: u64,
    link: Option<bool>,
    /// In a window that is measured: when the books of frames in flight were changed, and where ages are told.
    in_flight: VecDeque<(u64, Timestamp)>,
    ages: Option<File>,
}

impl Outlet {
    /// What was sent for something else is not waited for.
    fn begin_anew(&mut self) {
        self.turn += 1;
        self.frame = None;
        self.acked = self.sent;
        self.in_flight.clear();
    }

    /// From the change of a book in the desk to the page's word that it is drawn: longer than what a person sees.
    fn measure(&mut self) {
        while let Some((_, book_at)) = self.in_flight.front().copied().filter(|(seq, _)| *seq <= self.acked) {
            self.in_flight.pop_front();
            if let Some(ages) = &mut self.ages {
                let _ = writeln!(ages, "{}", now_us() - book_at.us());
            }
        }
    }
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The market as the page watches it.
#[derive(Clone, Default)]
pub(crate) struct Market {
    outlet: Arc<(Mutex<Outlet>, Condvar)>,
}

impl Market {
    /// Starts both threads; they end with the program.
    pub(crate) fn start(&self, desk: Desk) -> std::io::Result<()> {
        let (reading, sending) = (self.clone(), self.clone());
        std::thread::Builder::new().name("frames in".to_owned()).spawn(move || reading.read(&desk))?;
        std::thread::Builder::new().name("frames out".to_owned()).spawn(move || sending.send())?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Outlet> {
        self.outlet.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Outlet)) {
        change(&mut self.lock());
        self.outlet.1.notify_all();
    }

    /// From now on pushes go here; a page that was loaded anew begins anew.
    pub(crate) fn attach(&self, channel: Channel<Push>) {
        self.change(|outlet| {
            outlet.channel = Some(channel);
            outlet.begin_anew();
            outlet.link = None;
        });
    }

    pub(crate) fn watch(&self, watch: Option<Watch>) {
        self.change(|outlet| {
            outlet.wanted = watch;
            outlet.begin_anew();
        });
    }

    /// The page has drawn or dropped all frames up to this one.
    pub(crate) fn ack(&self, seq: u64) {
        self.change(|outlet| {
            outlet.acked = outlet.acked.max(seq.min(outlet.sent));
            outlet.measure();
        });
    }

    /// From now on the age of every drawn book is written here, one per line, microseconds.
    pub(crate) fn measure(&self, ages: File) {
        self.change(|outlet| outlet.ages = Some(ages));
    }

    /// Tells the page something at once.
    pub(crate) fn push(&self, push: Push) {
        if let Some(channel) = &self.lock().channel {
            let _ = channel.send(push);
        }
    }

    fn link(&self, up: bool, words: &str) {
        let mut outlet = self.lock();
        if outlet.link != Some(up)
            && let Some(channel) = &outlet.channel
            && channel.send(Push::Link { up, words: words.to_owned() }).is_ok()
        {
            outlet.link = Some(up);
        }
    }

    fn read(&self, desk: &Desk) {
        loop {
            let (wanted, turn) = {
                let outlet = self.lock();
                (outlet.wanted.clone(), outlet.turn)
            };
            let seen = match wanted {
                Some(watch) => self.follow(desk, watch, turn),
                None => alive(desk),
            };
            match seen {
                Ok(()) => self.link(true, "The desk answers."),
                Err(words) => self.link(false, &words),
            }
            if self.lock().turn == turn {
                std::thread::sleep(RETRY);
            }
        }
    }

    /// Until something else is wanted, or an error in words.
    fn follow(&self, desk: &Desk, watch: Watch, turn: u64) -> Result<(), String> {
        let silent = |error: std::io::Error| format!("The desk does not answer ({error}). Nothing was sent meanwhile.");
        let mut client = desk.connect().map_err(|error| error.message)?;
        client.set_timeout(SILENCE_MAX).map_err(silent)?;
        client.say(&Ask::Watch { watch }).map_err(silent)?;
        loop {
            let frame = match client.hear().map_err(silent)? {
                Tell::Frame(frame) => *frame,
                Tell::Error(error) => return Err(error.message),
                _ => return Err("The desk answered something else.".to_owned()),
            };
            self.link(true, "The desk answers.");
            let mut outlet = self.lock();
            if outlet.turn != turn {
                return Ok(());
            }
            outlet.frame = Some(match outlet.frame.take() {
                Some(waiting) => waiting.then(frame),
                None => frame,
            });
            drop(outlet);
            self.outlet.1.notify_all();
        }
    }

    fn send(&self) {
        let mut last = Instant::now();
        loop {
            let ready =
                |outlet: &mut Outlet| outlet.frame.is_none() || outlet.channel.is_none() || outlet.sent - outlet.acked >= IN_FLIGHT_MAX;
            let mut outlet = self.outlet.1.wait_while(self.lock(), ready).unwrap_or_else(PoisonError::into_inner);
            let early = Duration::from_millis(FRAME_EVERY_MS).saturating_sub(last.elapsed());
            if !early.is_zero() {
                drop(outlet);
                std::thread::sleep(early);
                outlet = self.lock();
            }
            let (Some(frame), Some(channel)) = (outlet.frame.take(), outlet.channel.clone()) else { continue };
            outlet.sent += 1;
            let frame = Frame { seq: outlet.sent, ..frame };
            if outlet.ages.is_some() {
                outlet.in_flight.push_back((frame.seq, frame.book_at));
            }
            drop(outlet);
            let _ = channel.send(Push::Frame { frame: Box::new(frame) });
            last = Instant::now();
        }
    }
}

fn alive(desk: &Desk) -> Result<(), String> {
    let mut client = desk.connect().map_err(|error| error.message)?;
    let asked = client.set_timeout(SILENCE_MAX).and_then(|()| client.ask(&Ask::Alive));
    asked.map(|_| ()).map_err(|error| format!("The desk does not answer ({error})."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_cannot_acknowledge_what_was_not_sent() {
        let market = Market::default();
        market.change(|outlet| outlet.sent = 3);
        market.ack(99);
        assert_eq!(market.lock().acked, 3);
        market.ack(1);
        assert_eq!(market.lock().acked, 3);
    }

    #[test]
    fn a_page_that_dropped_frames_gets_new_ones_when_it_asks_again() {
        let market = Market::default();
        market.change(|outlet| outlet.sent = IN_FLIGHT_MAX);
        market.watch(None);
        assert_eq!(market.lock().acked, IN_FLIGHT_MAX);
    }
}
