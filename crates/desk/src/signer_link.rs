//! The desk's end of the signer's channel. Invariant: replies reach who asked, notices reach the desk, and when the
//! signer is gone everybody who waits is told so.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_signer_api::channel::{Channel, Look, PACKET_LEN_MAX};
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::{Notice, Refusal, Reply, Request};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroize as _;

/// Most requests waiting for their replies.
const WAITING_MAX: usize = 256;
/// With so many waiting the signer is not told of more that is coming: it does not sleep now, and each word of it would take a place.
const WAKE_WAITING_MAX: usize = 8;

/// What the link tells the desk.
#[derive(Debug)]
pub(crate) enum Told {
    /// A notice, with the file that came with it.
    Notice(Notice, Option<OwnedFd>),
    /// This signer is gone.
    Gone,
}

struct Shared {
    waiting: HashMap<u64, oneshot::Sender<Reply>>,
    next_id: u64,
    out: Vec<u8>,
    gone: bool,
}

/// A handle; clones share the channel.
#[derive(Clone)]
pub(crate) struct SignerLink {
    channel: Arc<Channel>,
    shared: Arc<Mutex<Shared>>,
}

fn too_long() -> Refusal {
    Refusal::State("that is longer than the signer takes; shorten it. Nothing was changed".to_owned())
}

fn gone() -> Refusal {
    Refusal::Guard(strongroom_guard::Reason::Sealed)
}

impl SignerLink {
    /// Takes over the channel; notices go to `told`.
    pub(crate) fn new(channel: Channel, told: mpsc::UnboundedSender<Told>) -> io::Result<Self> {
        let reader = channel.try_clone()?;
        let shared =
            Arc::new(Mutex::new(Shared { waiting: HashMap::new(), next_id: 1, out: Vec::with_capacity(PACKET_LEN_MAX), gone: false }));
        let of_reader = Arc::clone(&shared);
        std::thread::Builder::new().name("signer-link".to_owned()).spawn(move || read(&reader, &of_reader, &told))?;
        Ok(Self { channel: Arc::new(channel), shared })
    }

    /// Asks and waits; a signer that is gone refuses as sealed.
    pub(crate) async fn ask(&self, request: &Request, tail: &[u8], fds: &[BorrowedFd<'_>]) -> Result<Reply, Refusal> {
        let answer = self.begin(request, tail, fds)?;
        match answer.await {
            Ok(Reply::Refused(refusal)) => Err(refusal),
            Ok(reply) => Ok(reply),
            Err(_) => Err(gone()),
        }
    }

    /// Says that something to be signed follows. Nobody waits for the answer, and where this would have to wait it is left out: that only
    /// takes longer then.
    pub(crate) fn wake(&self) {
        let Ok(mut shared) = self.shared.try_lock() else { return };
        if !shared.gone && shared.waiting.len() < WAKE_WAITING_MAX {
            drop(self.begin_with(&mut shared, &Request::StayAwake, b"", |packet| self.channel.try_send(packet, &[])));
        }
    }

    fn begin(&self, request: &Request, tail: &[u8], fds: &[BorrowedFd<'_>]) -> Result<oneshot::Receiver<Reply>, Refusal> {
        self.begin_with(&mut lock(&self.shared), request, tail, |packet| self.channel.send(packet, fds))
    }

    fn begin_with(
        &self,
        shared: &mut Shared,
        request: &Request,
        tail: &[u8],
        send: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> Result<oneshot::Receiver<Reply>, Refusal> {
        if shared.gone {
            return Err(gone());
        }
        if shared.waiting.len() >= WAITING_MAX {
            return Err(Refusal::Busy);
        }
        let id = shared.next_id;
        shared.next_id += 1;
        let mut out = std::mem::take(&mut shared.out);
        let sent = frame::write(&mut out, Kind::Request, id, request, tail)
            .map_err(|_| Refusal::NotUnderstood)
            .and_then(|()| if out.len() > PACKET_LEN_MAX { Err(too_long()) } else { Ok(()) })
            .and_then(|()| send(&out).map_err(|_| gone()));
        if !tail.is_empty() {
            out.zeroize();
        }
        shared.out = out;
        sent?;
        let (reply, answer) = oneshot::channel();
        shared.waiting.insert(id, reply);
        Ok(answer)
    }

    /// Whether requests can be sent at all.
    pub(crate) fn is_gone(&self) -> bool {
        lock(&self.shared).gone
    }

    /// Closes this desk's interest in it: the reader ends when the signer's end closes.
    pub(crate) fn retire(&self) {
        let mut shared = lock(&self.shared);
        shared.gone = true;
        shared.waiting.clear();
        let _ = rustix::net::shutdown(self.channel.as_fd(), rustix::net::Shutdown::Both);
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(channel: &Channel, shared: &Mutex<Shared>, told: &mpsc::UnboundedSender<Told>) {
    let mut buffer = vec![0; PACKET_LEN_MAX];
    let mut look = Look::default();
    let mut last_notice = 0;
    while let Ok(Some(packet)) = look.recv_or_sleep(channel, &mut buffer) {
        let frame = match Frame::parse(&buffer[..packet.len]) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::error!(%error, "the signer is not understood");
                break;
            }
        };
        match frame.kind {
            Kind::Reply => {
                // One that cannot be read fails its own request alone.
                match (frame.message::<Reply>(), lock(shared).waiting.remove(&frame.id)) {
                    (Ok(reply), Some(waiting)) => drop(waiting.send(reply)),
                    (Err(error), _) => tracing::error!(?error, "a reply of the signer cannot be read"),
                    (Ok(_), None) => {}
                }
            }
            Kind::Notice if frame.id > last_notice => {
                last_notice = frame.id;
                let Ok(notice) = frame.message::<Notice>() else { break };
                if told.send(Told::Notice(notice, packet.fds.into_iter().next())).is_err() {
                    break;
                }
            }
            Kind::Notice
            | Kind::Request
            | Kind::ToSigner
            | Kind::FromSigner
            | Kind::ToPrompt
            | Kind::FromPrompt
            | Kind::ToProvider
            | Kind::FromProvider => break,
        }
    }
    let mut shared = lock(shared);
    shared.gone = true;
    shared.waiting.clear();
    drop(shared);
    let _ = told.send(Told::Gone);
}
