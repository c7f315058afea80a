//! What the page can ask, one function per row of `table.rs`. Invariant: each is a question to the desk, to the
//! supervisor or about the window's looks; none takes or gives a secret.

use std::time::{Duration, Instant};

use strongroom_desk_api::supervisor::{SupervisorClient, ToSupervisor};
use strongroom_desk_api::{
    Ask, Checks, DoorAction, DoorError, Drilled, Freeze, Interval, KeyView, KillReport, KillScope, OrderView, Policy, SessionView, Tell,
    VaultView, Watch,
};
use strongroom_model::{Advice, Balance, Candle, CredentialId, Instrument, Price, Quantity, Remark, Side, SlotInfo, Symbol};
use tauri::ipc::Channel;
use tauri::{AppHandle, State};

use crate::desk::{Desk, failed, unexpected};
use crate::environment;
use crate::hold;
use crate::settings::Settings;
use crate::verify::LogKey;
use crate::views::{AuditPage, Hello, Killed, Order, Outcome, Push, Source, Verified};
use crate::window::Window;

/// A frozen signer is confirmed within this, or the kill switch is said to have failed.
const KILL_MAX: Duration = Duration::from_secs(5);
/// The log's last head takes a moment; a desk that takes longer is not waited for.
const SEAL_MAX: Duration = Duration::from_secs(3);

type Answer<T> = Result<T, DoorError>;

/// Asks the desk and takes the one kind of answer that fits.
macro_rules! asked {
    ($window:expr, $ask:expr, $answer:pat => $value:expr) => {
        match $window.desk.ask($ask).await? {
            $answer => Ok($value),
            _ => Err(unexpected()),
        }
    };
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn hello(window: State<'_, Window>) -> Answer<Hello> {
    Ok(Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        profile: window.desk.profile().display().to_string(),
        locale: sys_locale::get_locale().unwrap_or_else(|| "en-US".to_owned()),
        software_rendering: environment::draws_in_software(),
        capture_protected: false,
        dev_build: window.build == environment::Build::Driven,
        kill_keys: window.kill_keys.get().copied().flatten().map(str::to_owned),
        settings: Settings::read(window.desk.profile()),
    })
}

/// Starts the desk unless one answers; a supervisor that died is started again.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn start(window: State<'_, Window>) -> Answer<()> {
    let (arguments, desk, started) = (window.arguments.clone(), window.desk.clone(), window.started_desk.clone());
    let ended = |_| failed("window", "the window is ending".to_owned(), Advice::Refuse);
    tauri::async_runtime::spawn_blocking(move || arguments.bring_up(&desk, &started)).await.map_err(ended)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn ready(window: State<'_, Window>, screen: String) -> Answer<()> {
    window.ready(&screen);
    Ok(())
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn attach(window: State<'_, Window>, pushes: Channel<Push>) -> Answer<()> {
    window.market.attach(pushes);
    Ok(())
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn watch(window: State<'_, Window>, watch: Option<Watch>) -> Answer<()> {
    window.market.watch(watch);
    Ok(())
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn ack(window: State<'_, Window>, seq: u64) -> Answer<()> {
    window.market.ack(seq);
    Ok(())
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn vault(window: State<'_, Window>) -> Answer<VaultView> {
    asked!(window, Ask::Vault, Tell::Vault(view) => view)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn session(app: AppHandle, window: State<'_, Window>) -> Answer<SessionView> {
    let view = asked!(window, Ask::Session, Tell::Session(view) => *view)?;
    if view.killed.is_none() {
        hold::killed_no_more(&app);
    }
    Ok(view)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn act(window: State<'_, Window>, action: DoorAction, source: Source) -> Answer<Outcome> {
    window.person.act(&window.desk, action, source).await
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn give_up(window: State<'_, Window>) -> Answer<()> {
    window.person.give_up();
    Ok(())
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn lock(window: State<'_, Window>) -> Answer<String> {
    asked!(window, Ask::Lock, Tell::Done { words } => words)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn seal(window: State<'_, Window>) -> Answer<String> {
    match window.desk.ask_within(Ask::Seal, SEAL_MAX).await {
        Ok(Tell::Done { words }) => Ok(words),
        // A desk that hangs, or a signer that it waits for: the supervisor ends the signer.
        _ => {
            let desk = window.desk.clone();
            let not = |words| failed("seal", words, Advice::Ask);
            away(move || by_supervisor(&desk, &ToSupervisor::Seal)).await?.map_err(not)
        }
    }
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn keys(window: State<'_, Window>) -> Answer<Vec<KeyView>> {
    asked!(window, Ask::Keys, Tell::Keys { keys } => keys)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn public_key(window: State<'_, Window>, id: CredentialId) -> Answer<String> {
    asked!(window, Ask::PublicKey { id }, Tell::PublicKey { pem } => pem)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn go_on(window: State<'_, Window>, id: CredentialId) -> Answer<Outcome> {
    asked!(window, Ask::GoOn { id }, Tell::Outcome { words, key, log_key, public_key } => Outcome { words, key, log_key, public_key })
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn suspect(window: State<'_, Window>, id: CredentialId, why: String) -> Answer<String> {
    let why = Remark::parse(&why).map_err(|error| failed("reason", error.to_string(), Advice::Ask))?;
    asked!(window, Ask::Suspect { id, why }, Tell::Done { words } => words)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn end_session(window: State<'_, Window>, door: String) -> Answer<String> {
    asked!(window, Ask::EndSession { door }, Tell::Done { words } => words)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn slots(window: State<'_, Window>) -> Answer<Vec<SlotInfo>> {
    asked!(window, Ask::Slots, Tell::Slots { slots } => slots)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn policy(window: State<'_, Window>) -> Answer<Policy> {
    asked!(window, Ask::Policy, Tell::Policy { policy, .. } => *policy)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn instruments(window: State<'_, Window>) -> Answer<Vec<Instrument>> {
    asked!(window, Ask::Instruments, Tell::Instruments { instruments } => instruments)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn candles(window: State<'_, Window>, symbol: Symbol, interval: Interval) -> Answer<Vec<Candle>> {
    asked!(window, Ask::Candles { symbol, interval }, Tell::Candles { candles } => candles)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn check(window: State<'_, Window>, order: Order) -> Answer<Checks> {
    let Order { symbol, side, spec, reduce_only } = order;
    asked!(window, Ask::Check { symbol, side, spec, reduce_only }, Tell::Checks(checks) => *checks)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn size(window: State<'_, Window>, symbol: Symbol, side: Side, price: Option<Price>, percent: u32) -> Answer<Quantity> {
    asked!(window, Ask::Size { symbol, side, price, percent }, Tell::Size { quantity } => quantity)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn place(window: State<'_, Window>, order: Order, name: Option<String>, reason: Option<String>) -> Answer<OrderView> {
    let Order { symbol, side, spec, reduce_only } = order;
    asked!(window, Ask::Place { client_order_id: name, symbol, side, spec, reduce_only, reason }, Tell::Order(view) => *view)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn cancel(window: State<'_, Window>, client_order_id: String) -> Answer<OrderView> {
    asked!(window, Ask::Cancel { client_order_id }, Tell::Order(view) => *view)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn amend(window: State<'_, Window>, client_order_id: String, quantity: Quantity) -> Answer<OrderView> {
    asked!(window, Ask::Amend { client_order_id, quantity }, Tell::Order(view) => *view)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn unprotect(window: State<'_, Window>, client_order_id: String) -> Answer<OrderView> {
    asked!(window, Ask::Unprotect { client_order_id }, Tell::Order(view) => *view)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn orders(window: State<'_, Window>, live: bool) -> Answer<Vec<OrderView>> {
    asked!(window, Ask::Orders { live }, Tell::Orders { orders } => orders)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn balances(window: State<'_, Window>) -> Answer<Vec<Balance>> {
    asked!(window, Ask::Balance, Tell::Balance { balances } => balances)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn kill(window: State<'_, Window>, why: String, scope: KillScope) -> Answer<Killed> {
    let freeze = Freeze::new(&why, scope);
    let (desk, engaged) = (window.desk.clone(), freeze.clone());
    // The supervisor freezes the signer first; then the desk cancels, if it can.
    let frozen_us = away(move || self::freeze(&desk, engaged)).await??;
    let desk = window.desk.clone();
    let words = away(move || cancel_all(&desk, freeze)).await?;
    Ok(Killed { words, frozen_us })
}

/// Runs what blocks away from the window's thread.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    let ended = |_| failed("window", "the window is ending".to_owned(), Advice::Refuse);
    tauri::async_runtime::spawn_blocking(work).await.map_err(ended)
}

/// Freezes the signer; how long it took. Blocks.
pub(crate) fn freeze(desk: &Desk, freeze: Freeze) -> Answer<u64> {
    let start = Instant::now();
    let no =
        |words: String| failed("kill", format!("The kill switch was not confirmed: {words}. Revoke the key at the venue."), Advice::Ask);
    by_supervisor(desk, &ToSupervisor::Kill(freeze)).map_err(no)?;
    Ok(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// Asks the supervisor, whatever the desk does: its words, or why it was not done. Blocks.
fn by_supervisor(desk: &Desk, request: &ToSupervisor) -> Result<String, String> {
    match SupervisorClient::connect(desk.profile()).and_then(|supervisor| supervisor.ask(request, &[], KILL_MAX)) {
        Ok((true, words)) => Ok(words),
        Ok((false, words)) => Err(words),
        Err(error) => Err(error.to_string()),
    }
}

/// Has the desk cancel what is open; in words. Blocks.
pub(crate) fn cancel_all(desk: &Desk, Freeze { why, scope }: Freeze) -> String {
    let asked = desk.connect().ok().and_then(|mut client| {
        client.set_timeout(KILL_MAX).ok()?;
        client.ask(&Ask::Kill { why, scope }).ok()
    });
    match asked {
        Some(Tell::Done { words }) => words,
        _ => "The signer is frozen: no order can be signed. The desk did not answer; it is started anew and then cancels open orders."
            .to_owned(),
    }
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn kill_report(window: State<'_, Window>) -> Answer<Option<KillReport>> {
    asked!(window, Ask::KillReport, Tell::KillReport { report } => report.map(|report| *report))
}

/// The kill switch, tried with play money.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn drill(window: State<'_, Window>, orders: u32) -> Answer<Drilled> {
    let profile = window.desk.profile().to_path_buf();
    let mut drilled = away(move || strongroom_desk_api::drill::run(&[profile], orders)).await??;
    drilled.pop().ok_or_else(unexpected)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn audit(window: State<'_, Window>, before: Option<u64>, last: u32) -> Answer<AuditPage> {
    asked!(window, Ask::Audit { before, last }, Tell::Audit { entries, size } => AuditPage { entries, size })
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn verify(window: State<'_, Window>, key: Option<String>) -> Answer<Verified> {
    let Tell::Vault(vault) = window.desk.ask(Ask::Vault).await? else { return Err(unexpected()) };
    let named =
        vault.log_key.ok_or_else(|| failed("no-log", "There is no log yet: it begins with the vault.".to_owned(), Advice::Refuse))?;
    let key = match key {
        Some(kept) => LogKey::Kept(kept),
        None => LogKey::Named(named),
    };
    let (profile, market) = (window.desk.profile().to_path_buf(), window.market.clone());
    let checked =
        tauri::async_runtime::spawn_blocking(move || crate::verify::run(&profile, &key, |done, of| market.push(Push::Verify { done, of })));
    checked.await.unwrap_or_else(|_| Err(failed("window", "the window is ending".to_owned(), Advice::Refuse)))
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn settings(window: State<'_, Window>, settings: Settings) -> Answer<()> {
    settings.write(window.desk.profile()).map_err(|error| {
        failed("settings", format!("The settings could not be kept ({error}). They hold until the window is closed."), Advice::Ask)
    })
}
