//! Locking and sealing, whoever asks for it. Invariant: afterwards it is said why, in the log and to whoever asks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::Tell;
use strongroom_guard::SessionEnd;
use strongroom_model::Advice;
use strongroom_signer_api::channel::Channel;
use strongroom_signer_api::control::FromDesk;
use strongroom_signer_api::{Reply, Request};
use tokio::sync::mpsc;

use crate::actions::refused;
use crate::hall::{Hall, lock as held};
use crate::idleness::{Idleness, LOOK_EVERY};
use crate::machine::error;
use crate::presence::{self, Told};

/// What lies on the disk is compared with what should lie there so often, while the vault is open.
const INTEGRITY_EVERY: Duration = Duration::from_secs(10);

const SEALED: &str = "Sealed. Nothing can be signed until you unlock.";

/// Ends the session; what is live is looked after, and with nothing live the vault is sealed.
pub(crate) async fn lock(hall: &Arc<Hall>, supervisor: &Channel, because: &str) -> Tell {
    let live = hall.summary().await.live;
    if live == 0 {
        return seal(hall, supervisor, &format!("{because}, and nothing was live")).await;
    }
    match hall.ask_signer(&Request::Lock).await {
        Ok(_) => {
            let _ = hall.note(&[(Kind::Locked, json!({"live_orders": live, "because": because}))]);
            hall.set_because(Some(because.to_owned()));
            hall.checkpoint(true).await;
            Tell::Done { words: format!("Locked. {live} orders are live: only cancels and reads are signed until you unlock.") }
        }
        Err(refusal) => refused(&refusal),
    }
}

/// Ends the signer.
pub(crate) async fn seal(hall: &Arc<Hall>, supervisor: &Channel, because: &str) -> Tell {
    let was_open = is_open(hall).await;
    hall.close_log().await;
    if was_open && !is_open(hall).await {
        // The supervisor sealed it meanwhile, for whoever did not wait for this.
        return Tell::Done { words: SEALED.to_owned() };
    }
    hall.set_because(Some(because.to_owned()));
    match supervisor.try_send(FromDesk::Seal.encode(), &[]) {
        Ok(()) => Tell::Done { words: SEALED.to_owned() },
        Err(failure) => error("supervisor", format!("the supervisor cannot be reached: {failure}"), Advice::Bug),
    }
}

async fn is_open(hall: &Arc<Hall>) -> bool {
    matches!(hall.ask_signer(&Request::Status).await, Ok(Reply::Status(status)) if !status.sealed)
}

/// What the desktop saw of the person reaches the session, whatever doors say; a session that ended by itself is locked as any other.
async fn renews(hall: Arc<Hall>, supervisor: Arc<Channel>) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        hall.renew(None).await;
        if let Ok(Reply::Status(status)) = hall.ask_signer(&Request::Status).await
            && let Some(end @ (SessionEnd::Idle | SessionEnd::TooOld)) = status.session_end
        {
            lock(&hall, &supervisor, &end.to_string()).await;
        }
    }
}

async fn has_session(hall: &Arc<Hall>) -> bool {
    matches!(hall.ask_signer(&Request::Status).await, Ok(Reply::Status(status)) if status.session.is_some())
}

/// Locks when the person is away, and seals when vault or log are not what they should be.
pub(crate) fn follow(hall: Arc<Hall>, supervisor: Channel) -> std::io::Result<()> {
    let (told, away) = mpsc::channel(8);
    hall.set_watched(presence::watch(told)?, Idleness::watch()?);
    let supervisor = Arc::new(supervisor);
    tokio::spawn(renews(Arc::clone(&hall), Arc::clone(&supervisor)));
    tokio::spawn(locks(hall, supervisor, away));
    Ok(())
}

async fn locks(hall: Arc<Hall>, supervisor: Arc<Channel>, mut away: mpsc::Receiver<Told>) {
    let mut look = tokio::time::interval(INTEGRITY_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            told = away.recv() => match told {
                Some(Told { away, done }) => {
                    if has_session(&hall).await {
                        lock(&hall, &supervisor, away.words()).await;
                    }
                    let _ = done.send(());
                }
                None => return,
            },
            _ = look.tick() => {
                if is_open(&hall).await && let Some(trouble) = damage(&hall).await {
                    let _ = hall.note(&[(Kind::WatchAlarm, json!({"what": trouble}))]);
                    seal(&hall, &supervisor, &trouble).await;
                }
            }
        }
    }
}

/// What is wrong with the vault's file or the log's end, while both are in use here.
async fn damage(hall: &Arc<Hall>) -> Option<String> {
    if let Err(words) = held(&hall.store).is_as_written() {
        return Some(words);
    }
    match hall.keeper.look().await {
        Ok(Some(look)) => look.harm(),
        Ok(None) => Some("the vault's file is gone".to_owned()),
        Err(trouble) if trouble.code == "vault-damaged" => Some(trouble.message),
        Err(_) => None,
    }
}

impl presence::Watched {
    /// By name, and whether it is watched.
    pub(crate) fn list(&self) -> Vec<(&'static str, bool)> {
        vec![
            ("sleep waits until the vault is locked", self.logind.load(Ordering::Relaxed)),
            ("screen lock is followed", self.logind.load(Ordering::Relaxed) || self.screen_saver.load(Ordering::Relaxed)),
        ]
    }
}
