//! Hostile code behind the signer's own walls: tries what its first argument names, and says so if it lived.

use std::io::ErrorKind;
use std::net::{TcpStream, UdpSocket};
use std::process::ExitCode;

use strongroom_signer_api::{Action, KitOpening};

const NOBODY: u32 = 65_534;

/// Without the filter, which would end the process before landlock is asked.
fn fence() -> ExitCode {
    assert!(strongroom_signer::walls::fence(), "this kernel has no landlock");
    let refused = |kind: Option<ErrorKind>| kind == Some(ErrorKind::PermissionDenied);
    let attempts = [
        ("read", std::fs::read("/etc/passwd").err()),
        ("write", std::fs::write("/tmp/strongroom-should-not-exist", b"x").err()),
        ("tcp", TcpStream::connect("127.0.0.1:9").err()),
        ("exec", std::process::Command::new("/bin/true").status().err()),
    ];
    for (name, error) in &attempts {
        println!("{name}: {error:?}");
    }
    if attempts.iter().all(|(_, error)| refused(error.as_ref().map(std::io::Error::kind))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says which memory for keys is told as locked; `may_lock`: whether this process may lock any.
fn memory(may_lock: bool) -> ExitCode {
    use nix::sys::resource::{Resource, setrlimit};
    if !may_lock {
        setrlimit(Resource::RLIMIT_MEMLOCK, 0, 0).expect("a smaller limit");
    }
    let arena = strongroom_signer::arena::Arena::make().expect("randomness");
    println!("{} {}", arena.is_locked(), strongroom_signer::arena::reserve_for_keys());
    ExitCode::SUCCESS
}

/// Reads the memory of whoever started it.
fn peek() {
    let mut bytes = [0; 8];
    let from = nix::sys::uio::RemoteIoVec { base: 4_096, len: bytes.len() };
    let _ = nix::sys::uio::process_vm_readv(nix::unistd::getppid(), &mut [std::io::IoSliceMut::new(&mut bytes)], &[from]);
}

/// What is tried with new memory.
#[derive(Clone, Copy, PartialEq)]
enum Memory {
    /// That it holds code made at run time, from the beginning on.
    Executable,
    /// The same, after it was written.
    MadeExecutable,
    /// An advice that is not on the list.
    Advised,
}

#[expect(unsafe_code, reason = "the library marks the calls so; the memory is new and not touched")]
fn with_memory(tried: Memory) {
    use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, mprotect};
    let (data, code) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, ProtFlags::PROT_READ | ProtFlags::PROT_EXEC);
    let protection = if tried == Memory::Executable { data | code } else { data };
    let length = std::num::NonZeroUsize::new(4_096).expect("not zero");
    // SAFETY: new memory, at an address that the kernel chooses.
    let Ok(memory) = (unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_PRIVATE) }) else { return };
    // SAFETY: that very memory, which nothing else knows of.
    let _ = match tried {
        Memory::Executable => Ok(()),
        Memory::MadeExecutable => unsafe { mprotect(memory, length.get(), code) },
        Memory::Advised => unsafe { madvise(memory, length.get(), MmapAdvise::MADV_WILLNEED) },
    };
}

/// A system on which one wall cannot be built: a filter of whoever started the signer refuses the call. Says what the signer opens then.
fn without(wall: &str) -> ExitCode {
    use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
    let only = |argument: u8, value: i32| {
        let value = u64::from(value.unsigned_abs());
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value).expect("a condition");
        SeccompRule::new(vec![condition]).expect("a rule")
    };
    let set_limit = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0).expect("a condition");
    let calls = match wall {
        "filter" => vec![(nix::libc::SYS_seccomp, vec![]), (nix::libc::SYS_prctl, vec![only(0, nix::libc::PR_SET_SECCOMP)])],
        "dumpable" => vec![(nix::libc::SYS_prctl, vec![only(0, nix::libc::PR_SET_DUMPABLE)])],
        "descriptors" => vec![(nix::libc::SYS_close_range, vec![])],
        // Whoever is not root cannot have a filter without the flag: that it is set cannot be found out here.
        "privileges" => vec![(nix::libc::SYS_prctl, vec![only(0, nix::libc::PR_GET_NO_NEW_PRIVS)])],
        "limits" => vec![(nix::libc::SYS_prlimit64, vec![SeccompRule::new(vec![set_limit]).expect("a rule")])],
        _ => vec![],
    };
    if !calls.is_empty() {
        let refuse = SeccompAction::Errno(nix::libc::EPERM.unsigned_abs());
        let filter = SeccompFilter::new(
            calls.into_iter().collect(),
            SeccompAction::Allow,
            refuse,
            std::env::consts::ARCH.try_into().expect("known"),
        );
        let program: seccompiler::BpfProgram = filter.expect("a filter").try_into().expect("a program");
        nix::sys::prctl::set_no_new_privs().expect("no new privileges");
        seccompiler::apply_filter(&program).expect("installed");
    }
    let closed = strongroom_signer::walls::close_windows();
    let arena = strongroom_signer::arena::Arena::make().expect("randomness");
    let walls = strongroom_signer::walls::build(closed, arena.is_locked());
    let missing = walls.missing().join(", ");
    let mut signer = strongroom_signer::Signer::new(arena, walls);
    let moment = strongroom_signer::Moment { wall: strongroom_model::Timestamp::from_ms(0), mono_ms: 0 };
    let actions = [
        Action::CreateVault { vault_id: vec![7; 16], kdf_memory_kib: 65_536, kdf_passes: 3 },
        Action::Unlock,
        Action::UnlockWith { slot: 1 },
        Action::Recover(KitOpening { number: 1, backup: None, state_lost: None }),
    ];
    let mut answers = Vec::new();
    for (id, action) in (1..).zip(actions) {
        let out = signer.on_desk(id, strongroom_signer_api::Request::Prepare(action), &[9; 32], Vec::new(), moment);
        answers.push(match out.first() {
            Some(strongroom_signer::Out::Reply(_, strongroom_signer_api::Reply::Refused(refusal))) => refusal.code(),
            Some(strongroom_signer::Out::Reply(_, strongroom_signer_api::Reply::Prepared { .. })) => "prepared",
            _ => "something else",
        });
    }
    let answer = answers.join(" ");
    let told = signer.on_desk(9, strongroom_signer_api::Request::Status, b"", Vec::new(), moment);
    let is_told = matches!(told.first(), Some(strongroom_signer::Out::Reply(_, strongroom_signer_api::Reply::Status(status))) if status.walls == walls);
    println!("{missing}: {answer}, {is_told}");
    ExitCode::SUCCESS
}

/// Root could do more than whoever the signer is started by.
fn as_an_ordinary_user() {
    use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
    if geteuid().is_root() {
        setgroups(&[]).and_then(|()| setgid(Gid::from_raw(NOBODY))).and_then(|()| setuid(Uid::from_raw(NOBODY))).expect("another user");
        // The kernel takes it away with the rights; the signer begins with it, and gives it up itself.
        nix::sys::prctl::set_dumpable(true).expect("its own choice");
    }
    assert!(!geteuid().is_root());
}

fn main() -> ExitCode {
    as_an_ordinary_user();
    let attempt = std::env::args().nth(1).unwrap_or_default();
    let own = std::env::current_exe().expect("a path");
    if let Some(missing) = attempt.strip_prefix("without-") {
        return without(missing);
    }
    let closed = strongroom_signer::walls::close_windows();
    match attempt.as_str() {
        "fence" => return fence(),
        "locked" | "unlocked" => return memory(attempt == "locked"),
        _ => {}
    }
    let walls = strongroom_signer::walls::build(closed, false);
    assert!(walls.are_up() && walls.no_write_execute && walls.landlock, "{walls:?}");
    println!("walls are up");
    match attempt.as_str() {
        "nothing" => {}
        "tcp" => drop(TcpStream::connect("127.0.0.1:9")),
        "udp" => drop(UdpSocket::bind("127.0.0.1:0")),
        "unix" => drop(std::os::unix::net::UnixStream::connect("/run/nothing")),
        "read" => drop(std::fs::read("/etc/passwd")),
        "stat" => drop(std::fs::metadata("/etc/passwd")),
        "exists" => drop(std::path::Path::new("/etc/passwd").exists()),
        "write" => drop(std::fs::write("/tmp/strongroom-should-not-exist", b"x")),
        "exec" => drop(std::process::Command::new(own).status()),
        "thread" => drop(std::thread::spawn(|| ()).join()),
        "attach" => drop(nix::sys::ptrace::attach(nix::unistd::getppid())),
        "peek" => peek(),
        "executable" => with_memory(Memory::Executable),
        "made executable" => with_memory(Memory::MadeExecutable),
        "advice" => with_memory(Memory::Advised),
        "another descriptor" => drop(std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned()),
        "name" => drop(nix::sys::prctl::set_name(c"another")),
        "dumpable" => drop(nix::sys::prctl::set_dumpable(true)),
        "limit" => drop(nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_FSIZE, 1, 1)),
        "signal" => drop(nix::sys::signal::kill(nix::unistd::getpid(), None)),
        other => {
            println!("no attempt named {other}");
            return ExitCode::FAILURE;
        }
    }
    println!("lived");
    ExitCode::SUCCESS
}
