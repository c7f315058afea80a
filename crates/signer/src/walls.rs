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

use crate::kernel;

/// Largest file in memory that new vault bytes are handed out in; the limit counts such files too, so it is not zero.
const MEMORY_FILE_LEN_MAX: u64 = 64 * 1_024 * 1_024;

/// `discard`, at which hardly anybody listens.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
/// A refusal of the kernel takes no time; a packet filter that drops packets could take minutes.
const AT_ONCE: Duration = Duration::from_millis(100);

/// That [`close_windows`] was called, and found what it should.
#[derive(Debug)]
pub struct Closed {
    no_descriptors: bool,
}

/// First thing at start: nothing that was left open is inherited, nothing may be dumped, nobody may look in, and no memory becomes executable.
/// What fails here does not stand, and is found not to stand in [`build`].
pub fn close_windows() -> Closed {
    let is_closed = kernel::close_other_descriptors().is_ok();
    let no_descriptors = is_closed && has_three_descriptors();
    for (resource, limit) in [(Resource::Core, 0), (Resource::Fsize, MEMORY_FILE_LEN_MAX)] {
        let _ = rustix::process::setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) });
    }
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = rustix::thread::set_no_new_privs(true);
    let _ = kernel::deny_write_execute();
    Closed { no_descriptors }
}

/// Last thing before the first packet: no file and no network, and the filter. Returns the walls as measured: where one that must stand does
/// not, the signer opens nothing. What an older kernel does not have is reported as missing; the filter forbids the same calls.
pub fn build(closed: Closed, locked_memory: bool) -> Walls {
    let no_write_execute = kernel::denies_write_execute();
    let landlock = fence();
    // Another's filter may stand already, so that this process has one says too little.
    let is_filtered =
        [unknown_calls(), filter()].into_iter().all(|program| program.is_ok_and(|program| seccompiler::apply_filter(&program).is_ok()));
    let measured = measure();
    let seccomp = is_filtered && measured.seccomp;
    Walls { no_descriptors: closed.no_descriptors, no_write_execute, landlock, seccomp, locked_memory, ..measured }
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

/// Calls that are told as unknown to the kernel: `statx` names files by path, whatever its arguments say, and whoever wants to know how long
/// an open file is asks `fstat` then.
fn unknown_calls() -> Result<BpfProgram, seccompiler::BackendError> {
    let calls = BTreeMap::from([(libc::SYS_statx, Vec::new())]);
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    SeccompFilter::new(calls, SeccompAction::Allow, unknown, std::env::consts::ARCH.try_into()?)?.try_into()
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
