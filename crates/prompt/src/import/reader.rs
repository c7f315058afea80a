//! The process that reads files to import, and its walls. Invariant: no foreign byte is looked at before the walls stand
//! and were measured; behind them no file, socket or process can be opened.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};

use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::SecureComputingMode;
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use zeroize::Zeroizing;

use super::wire::{INPUT_LEN_MAX, split};
use super::{Reading, Trouble, encode, parse};

/// The argument that makes a prompt's program this process.
pub const ARGUMENT: &str = "--parse";
/// Limits: no file is written, no descriptor more, computing for the dearest passphrase on a slow machine, memory for what
/// the program maps anyway. Whoever started this waits less for a file without a passphrase, and ends it.
const LIMITS: [(Resource, u64); 5] =
    [(Resource::Core, 0), (Resource::Fsize, 0), (Resource::Nofile, 0), (Resource::Cpu, 30), (Resource::As, 1_024 * 1_024 * 1_024)];

/// Reads a passphrase and a file from standard input and answers on standard output.
pub fn run() -> io::Result<()> {
    let walls = build();
    let result = if walls.is_ok() { read() } else { Err(Trouble::NoWalls) };
    io::stdout().write_all(&encode(&result))?;
    io::stdout().flush()
}

fn read() -> Result<Reading, Trouble> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(INPUT_LEN_MAX));
    let limit = u64::try_from(INPUT_LEN_MAX).unwrap_or(u64::MAX);
    io::stdin().take(limit).read_to_end(&mut bytes).map_err(|_| Trouble::NoAnswer)?;
    let (passphrase, file) = split(&bytes).ok_or(Trouble::NoAnswer)?;
    parse(file, passphrase)
}

/// Builds the walls and asks the kernel whether they stand.
fn build() -> io::Result<()> {
    let refused = |what: &str| io::Error::other(what.to_owned());
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    let ruleset =
        Ruleset::default().handle_access(AccessFs::from_all(ABI::V1)).and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V4)));
    let status = ruleset.and_then(Ruleset::create).and_then(|rules| rules.restrict_self()).map_err(|error| refused(&error.to_string()))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(refused("no landlock"));
    }
    // After landlock, which needs a descriptor for a moment.
    for (resource, limit) in LIMITS {
        rustix::process::setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    let program = filter().map_err(|error| refused(&error.to_string()))?;
    seccompiler::apply_filter(&program).map_err(|error| refused(&error.to_string()))?;
    let stand = matches!(rustix::thread::secure_computing_mode(), Ok(SecureComputingMode::Filter))
        && matches!(rustix::thread::no_new_privs(), Ok(true))
        && matches!(rustix::process::dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    if stand { Ok(()) } else { Err(refused("a wall does not stand")) }
}

/// Reading, answering, memory that is never executable, and the end.
fn filter() -> Result<BpfProgram, BackendError> {
    let free = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_brk,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = free.into_iter().map(|call| (call, Vec::new())).collect();
    let exec = u64::from(libc::PROT_EXEC.unsigned_abs());
    let not_executable = || {
        let condition = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(exec), 0)?;
        Ok::<_, BackendError>(vec![SeccompRule::new(vec![condition])?])
    };
    rules.insert(libc::SYS_mmap, not_executable()?);
    rules.insert(libc::SYS_mprotect, not_executable()?);
    // The walls are measured after they were built.
    let measured = [libc::PR_GET_DUMPABLE, libc::PR_GET_NO_NEW_PRIVS, libc::PR_GET_SECCOMP].into_iter().map(|what| {
        SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(what.unsigned_abs()))?])
    });
    rules.insert(libc::SYS_prctl, measured.collect::<Result<_, _>>()?);
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)?.try_into()
}
