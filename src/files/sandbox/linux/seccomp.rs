//! seccomp: which system calls a thread, and whatever it starts, may make.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};

const EPERM: u32 = libc::EPERM.unsigned_abs();
const ENOSYS: u32 = libc::ENOSYS.unsigned_abs();

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Calls that neither netloom nor git has a use for: the network, other processes, mounts, the kernel itself, and what Landlock
/// has no right for (owners, modes, times and attributes of files, by their paths).
#[rustfmt::skip]
const REFUSED: &[c_long] = &[
    libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4,
    libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_sendmmsg,
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_kcmp, PIDFD_GETFD, PROCESS_MADVISE,
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot, libc::SYS_unshare, libc::SYS_setns,
    OPEN_TREE, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK, MOUNT_SETATTR, OPEN_TREE_ATTR,
    libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER,
    libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_kexec_load,
    libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl,
    libc::SYS_reboot, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_acct, libc::SYS_quotactl, libc::SYS_syslog,
    libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_adjtimex,
    libc::SYS_clock_adjtime, libc::SYS_personality, libc::SYS_fanotify_init, libc::SYS_open_by_handle_at,
    libc::SYS_fchmodat, FCHMODAT2, libc::SYS_fchown, libc::SYS_fchownat, libc::SYS_truncate, libc::SYS_mknodat, FILE_SETATTR,
    libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr, SETXATTRAT,
    libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr, REMOVEXATTRAT,
];

/// Calls that newer machines do without, under their older names.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_mknod, libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat,
    libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

// From 424 on a call has the same number on every machine; not every C library knows these.
const OPEN_TREE: c_long = 428;
const MOVE_MOUNT: c_long = 429;
const FSOPEN: c_long = 430;
const FSCONFIG: c_long = 431;
const FSMOUNT: c_long = 432;
const FSPICK: c_long = 433;
const IO_URING_SETUP: c_long = 425;
const IO_URING_ENTER: c_long = 426;
const IO_URING_REGISTER: c_long = 427;
const PIDFD_GETFD: c_long = 438;
const PROCESS_MADVISE: c_long = 440;
const MOUNT_SETATTR: c_long = 442;
const FCHMODAT2: c_long = 452;
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const OPEN_TREE_ATTR: c_long = 467;
const FILE_SETATTR: c_long = 469;

/// Calls that start programs, which is for the broker to do.
const STARTS: &[c_long] = &[libc::SYS_execve, libc::SYS_execveat];

/// What the Jsonnet worker may call beside its pipes: memory, threads of its own, clocks, its limits, and the ways to end.
#[rustfmt::skip]
const WORKER: &[c_long] = &[
    libc::SYS_close, libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_mprotect, libc::SYS_madvise, libc::SYS_brk,
    libc::SYS_futex, libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_set_robust_list, libc::SYS_rseq,
    libc::SYS_membarrier, libc::SYS_set_tid_address, libc::SYS_gettid, libc::SYS_getpid,
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_gettimeofday, libc::SYS_getrandom, libc::SYS_getrusage,
    libc::SYS_prlimit64, libc::SYS_sigaltstack, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall, libc::SYS_exit, libc::SYS_exit_group,
];
#[cfg(target_arch = "x86_64")]
const WORKER_HERE: &[c_long] = &[libc::SYS_getrlimit, libc::SYS_setrlimit, libc::SYS_arch_prctl];
#[cfg(not(target_arch = "x86_64"))]
const WORKER_HERE: &[c_long] = &[];

/// Refuses what neither netloom nor git has a use for, with `EPERM`.
pub(super) fn refuse() -> Result<(), String> {
    install(refused())
}

/// Keeps this thread, and those that it makes from now on, from starting programs.
pub(super) fn start_nothing() -> Result<(), String> {
    install(denying(STARTS.to_vec(), Rules::new()))
}

/// Leaves a worker what it needs to evaluate a program. The rest does not exist for it, which is what a C library that tries a
/// newer call first understands.
pub(super) fn only_evaluate() -> Result<(), String> {
    install(worker())
}

fn install(program: Result<BpfProgram, String>) -> Result<(), String> {
    seccompiler::apply_filter(&program?).map_err(|error| format!("the kernel refuses it: {error}"))
}

fn refused() -> Result<BpfProgram, String> {
    let mut rules = Rules::new();
    // What is typed into a terminal is for people to say.
    let typed = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */];
    rules.insert(
        libc::SYS_ioctl,
        typed.into_iter().map(|request| when(1, Length::Dword, Compare::Eq, request)).collect::<Result<_, _>>()?,
    );
    // Without a path it is about a file that is open already.
    rules.insert(libc::SYS_utimensat, vec![when(1, Length::Qword, Compare::Ne, 0)?]);
    denying([REFUSED, REFUSED_HERE].concat(), rules)
}

fn worker() -> Result<BpfProgram, String> {
    /// `CLONE_THREAD`: a thread of the same process.
    const THREAD: u64 = 0x0001_0000;
    /// `PR_SET_NAME`: the name of a thread.
    const NAME: u64 = 15;
    let mut rules = plain(WORKER);
    rules.extend(plain(WORKER_HERE));
    for (calls, pipes) in [([libc::SYS_read, libc::SYS_readv], 0..=0), ([libc::SYS_write, libc::SYS_writev], 1..=2)] {
        for call in calls {
            let pipes = pipes.clone().map(|pipe| when(0, Length::Dword, Compare::Eq, pipe));
            rules.insert(call, pipes.collect::<Result<_, _>>()?);
        }
    }
    rules.insert(libc::SYS_clone, vec![when(0, Length::Dword, Compare::MaskedEq(THREAD), THREAD)?]);
    rules.insert(libc::SYS_prctl, vec![when(0, Length::Dword, Compare::Eq, NAME)?]);
    // A signal to itself ends a worker whose memory has run out.
    rules.insert(libc::SYS_tgkill, vec![when(0, Length::Dword, Compare::Eq, std::process::id().into())?]);
    filter(rules, SeccompAction::Errno(ENOSYS), SeccompAction::Allow)
}

/// Calls without conditions.
fn plain(calls: &[c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// A call whose argument is such and such.
fn when(argument: u8, length: Length, compare: Compare, value: u64) -> Result<SeccompRule, String> {
    let condition = SeccompCondition::new(argument, length, compare, value);
    condition.and_then(|condition| SeccompRule::new(vec![condition])).map_err(|error| error.to_string())
}

fn filter(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Result<BpfProgram, String> {
    let here = TargetArch::try_from(std::env::consts::ARCH).map_err(|_| "not on this kind of machine".to_owned())?;
    let program = SeccompFilter::new(rules, otherwise, matched, here).and_then(BpfProgram::try_from);
    program.map_err(|error| error.to_string())
}

/// Refuses calls, some of them only when a rule matches, and allows all others. On x86-64 this is also for the calls of its x32
/// variant, which reach the same functions by other numbers: there are none.
///
/// The kernel walks a filter for each of its calls when it takes it, and compiles it. One that has five steps for a call and tries
/// one after the other takes half a millisecond for that; so calls without conditions have one step each, in groups of which a call
/// gets to one.
fn denying(mut calls: Vec<c_long>, conditional: Rules) -> Result<BpfProgram, String> {
    const X32: u32 = 0x4000_0000;
    let refuse = || SeccompAction::Errno(EPERM);
    // Without rules a filter is the check of the machine, and what is returned.
    let mut program = filter(Rules::new(), SeccompAction::Allow, refuse())?;
    program.pop();
    program.push(step(LOAD, 0, 0, 0));
    if cfg!(target_arch = "x86_64") {
        program.extend([step(AT_LEAST, 0, 1, X32), give(SeccompAction::Errno(ENOSYS))]);
    }
    for (call, rules) in conditional {
        let judged = filter(Rules::from([(call, rules)]), SeccompAction::Allow, refuse())?;
        program.push(step(EQUAL, 0, length(judged.len())?, number(call)?));
        program.extend(judged);
    }
    calls.sort_unstable();
    for group in calls.chunks(GROUP).rev() {
        let first = group.first().copied().unwrap_or_default();
        program.push(step(AT_LEAST, 0, length(group.len() + 2)?, number(first)?));
        for (index, call) in group.iter().enumerate() {
            program.push(step(EQUAL, length(group.len() - index)?, 0, number(*call)?));
        }
        program.extend([give(SeccompAction::Allow), give(refuse())]);
    }
    program.push(give(SeccompAction::Allow));
    Ok(program)
}

/// Calls that are tried one after the other.
const GROUP: usize = 12;

// Steps of a filter (classic BPF).
const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

/// A step; one that compares goes past so many of those behind it when it holds, or when it does not.
fn step(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// The last step.
fn give(action: SeccompAction) -> sock_filter {
    step(RETURN, 0, 0, action.into())
}

fn length(steps: usize) -> Result<u8, String> {
    u8::try_from(steps).map_err(|_| "the filter is too long".to_owned())
}

fn number(call: c_long) -> Result<u32, String> {
    u32::try_from(call).map_err(|error| error.to_string())
}
