//! The walls around the signer, built before any secret arrives. Invariant: after [`build`] no socket, file or
//! process can be opened; a system call that is not listed ends the process; what is reported was asked of the kernel.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use strongroom_signer_api::Walls;
use thiserror::Error;

use crate::kernel;

/// Largest file in memory that new vault bytes are handed out in; the limit counts such files too, so it is not zero.
const MEMORY_FILE_LEN_MAX: u64 = 64 * 1_024 * 1_024;

/// `discard`, at which hardly anybody listens.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
/// A refusal of the kernel takes no time; a packet filter that drops packets could take minutes.
const AT_ONCE: Duration = Duration::from_millis(100);

/// A wall that could not be built; the signer does not start without it.
#[derive(Debug, Error)]
pub enum WallError {
    /// A limit or flag of the process.
    #[error("could not set {0}: {1}")]
    Flag(&'static str, rustix::io::Errno),
    /// What was left open.
    #[error("could not close what was left open: {0}")]
    Descriptors(String),
    /// The system-call filter.
    #[error("could not install the system-call filter: {0}")]
    Filter(String),
}

/// That [`close_windows`] was called, and found what it should.
#[derive(Debug)]
pub struct Closed {
    no_descriptors: bool,
}

/// First thing at start: nothing that was left open is inherited, nothing may be dumped, nobody may look in, and no memory becomes executable.
pub fn close_windows() -> Result<Closed, WallError> {
    kernel::close_other_descriptors().map_err(|error| WallError::Descriptors(error.to_string()))?;
    let no_descriptors = has_three_descriptors();
    let limits = [("RLIMIT_CORE", Resource::Core, 0), ("RLIMIT_FSIZE", Resource::Fsize, MEMORY_FILE_LEN_MAX)];
    for (name, resource, limit) in limits {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        rustix::process::setrlimit(resource, limit).map_err(|error| WallError::Flag(name, error))?;
    }
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| WallError::Flag("non-dumpable", error))?;
    rustix::thread::set_no_new_privs(true).map_err(|error| WallError::Flag("no_new_privs", error))?;
    // Not every kernel knows it; whether it stands is asked in `build`.
    let _ = kernel::deny_write_execute();
    Ok(Closed { no_descriptors })
}

/// Last thing before the first packet: no file and no network, and the filter. Returns the walls as measured. What an older kernel does not have is reported as missing; the filter forbids the same calls.
pub fn build(closed: Closed, locked_memory: bool) -> Result<Walls, WallError> {
    let no_write_execute = kernel::denies_write_execute();
    let landlock = fence();
    let program = filter().map_err(|error| WallError::Filter(error.to_string()))?;
    seccompiler::apply_filter(&program).map_err(|error| WallError::Filter(error.to_string()))?;
    Ok(Walls { no_descriptors: closed.no_descriptors, no_write_execute, landlock, locked_memory, ..measure() })
}

/// Takes all rights to files, TCP, other processes' abstract sockets and signals away (landlock). Whether that stands: as much of it as
/// this kernel knows; and a folder that everybody may list, and a TCP connection, are refused.
pub fn fence() -> bool {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V4)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create);
    let stands = rules.and_then(|rules| rules.restrict_self()).is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced);
    let refused = |error: std::io::Error| error.kind() == ErrorKind::PermissionDenied;
    // Before Linux 6.7 it is not TCP's business: then nothing is there, and that is another answer.
    stands && std::fs::read_dir("/").is_err_and(refused) && TcpStream::connect_timeout(&NOBODY, AT_ONCE).is_err_and(refused)
}

/// Whether nothing is open but input, output and the place for last words.
fn has_three_descriptors() -> bool {
    // One more is the folder that is read.
    std::fs::read_dir("/proc/self/fd").is_ok_and(|open| open.count() <= 4)
}

/// Asks the kernel what stands.
fn measure() -> Walls {
    Walls {
        not_dumpable: matches!(rustix::process::dumpable_behavior(), Ok(DumpableBehavior::NotDumpable)),
        no_core: rustix::process::getrlimit(Resource::Core).maximum == Some(0)
            && rustix::process::getrlimit(Resource::Fsize).maximum == Some(MEMORY_FILE_LEN_MAX),
        no_new_privs: matches!(rustix::thread::no_new_privs(), Ok(true)),
        seccomp: matches!(rustix::thread::secure_computing_mode(), Ok(rustix::thread::SecureComputingMode::Filter)),
        ..Walls::default()
    }
}

/// Memory may grow but never become executable.
fn without_prot_exec(argument: u8) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let exec = u64::from(libc::PROT_EXEC.unsigned_abs());
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(exec), 0)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}

fn argument_is(argument: u8, value: i32) -> Result<SeccompRule, seccompiler::BackendError> {
    let value = u64::from(value.unsigned_abs());
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?])
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let free = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_recvmsg,
        libc::SYS_recvfrom,
        libc::SYS_sendmsg,
        libc::SYS_sendto,
        libc::SYS_poll,
        libc::SYS_ppoll,
        libc::SYS_close,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_restart_syscall,
        // Its own limits and flags may be read (the status reports them), not set: see prctl and prlimit64 below.
        libc::SYS_getpid,
        libc::SYS_gettid,
        // Descriptors for new vault bytes live in memory only, and are read back from memory only.
        libc::SYS_memfd_create,
        libc::SYS_ftruncate,
        libc::SYS_lseek,
        libc::SYS_fstat,
        libc::SYS_pread64,
        libc::SYS_statx,
    ];
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = free.into_iter().map(|call| (call, Vec::new())).collect();
    rules.insert(libc::SYS_mmap, without_prot_exec(2)?);
    rules.insert(libc::SYS_mprotect, without_prot_exec(2)?);
    rules.insert(
        libc::SYS_madvise,
        [libc::MADV_DONTNEED, libc::MADV_FREE, libc::MADV_DONTDUMP]
            .into_iter()
            .map(|advice| argument_is(2, advice))
            .collect::<Result<_, _>>()?,
    );
    rules.insert(
        libc::SYS_prctl,
        [libc::PR_GET_DUMPABLE, libc::PR_GET_NO_NEW_PRIVS, libc::PR_GET_SECCOMP]
            .into_iter()
            .map(|what| argument_is(0, what))
            .collect::<Result<_, _>>()?,
    );
    // The standard library looks whether a descriptor is open before it closes it.
    rules.insert(libc::SYS_fcntl, vec![argument_is(1, libc::F_GETFD)?]);
    // prlimit64 with no new limit only reads.
    let reads_only = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![reads_only])?]);
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)?.try_into()
}
