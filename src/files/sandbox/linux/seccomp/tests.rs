use super::*;

const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;
const REFUSE: u32 = 0x0005_0000 | EPERM;
const UNKNOWN: u32 = 0x0005_0000 | ENOSYS;

#[cfg(target_arch = "x86_64")]
const HERE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const HERE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const HERE: u32 = 0xc000_00f3;

/// What the kernel makes of a call: a filter is a program for a small machine.
fn verdict(program: &BpfProgram, machine: u32, call: c_long, arguments: &[u64]) -> u32 {
    let mut data = Vec::new();
    data.extend([u32::try_from(call).unwrap().to_ne_bytes(), machine.to_ne_bytes()].concat());
    data.extend(0u64.to_ne_bytes());
    (0..6).for_each(|index| data.extend(arguments.get(index).copied().unwrap_or_default().to_ne_bytes()));
    let (mut at, mut value) = (0, 0);
    loop {
        let step = &program[at];
        let when = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
        at += 1;
        match step.code {
            0x20 => value = u32::from_ne_bytes(data[step.k as usize..][..4].try_into().unwrap()),
            0x54 => value &= step.k,
            0x05 => at += step.k as usize,
            0x15 => at += when(value == step.k),
            0x25 => at += when(value > step.k),
            0x35 => at += when(value >= step.k),
            0x06 => return step.k,
            code => panic!("no such step: {code:#x}"),
        }
    }
}

#[test]
fn calls_without_a_use_are_refused() {
    let program = refused().unwrap();
    let verdict = |call, arguments: &[u64]| verdict(&program, HERE, call, arguments);
    for call in REFUSED.iter().chain(REFUSED_HERE) {
        assert_eq!(verdict(*call, &[]), REFUSE, "{call}");
    }
    let known: Vec<_> = REFUSED.iter().chain(REFUSED_HERE).copied().chain([libc::SYS_ioctl, libc::SYS_utimensat]).collect();
    for call in (0..500).filter(|call| !known.contains(call)) {
        assert_eq!(verdict(call, &[]), ALLOW, "{call}");
    }
    let typing = [u64::from(0x5412u32), 0x1_0000_5412, 0x541c];
    assert!(typing.iter().all(|request| verdict(libc::SYS_ioctl, &[0, *request]) == REFUSE));
    assert_eq!(verdict(libc::SYS_ioctl, &[2, 0x5413 /* TIOCGWINSZ */]), ALLOW);
    assert_eq!(verdict(libc::SYS_utimensat, &[3, 0]), ALLOW);
    assert_eq!(verdict(libc::SYS_utimensat, &[3, 1 << 40]), REFUSE);
}

#[test]
fn other_forms_of_a_call_are_no_way_around() {
    for program in [refused().unwrap(), denying(STARTS.to_vec(), Rules::new()).unwrap(), worker().unwrap()] {
        assert_eq!(verdict(&program, 0x4000_0003 /* i386 */, libc::SYS_read, &[]), KILL);
    }
    #[cfg(target_arch = "x86_64")]
    for call in [libc::SYS_socket, libc::SYS_execve] {
        assert_eq!(verdict(&refused().unwrap(), HERE, call | 0x4000_0000, &[]), UNKNOWN);
    }
}

#[test]
fn programs_are_not_started() {
    let program = denying(STARTS.to_vec(), Rules::new()).unwrap();
    for call in 0..500 {
        let expected = if [libc::SYS_execve, libc::SYS_execveat].contains(&call) { REFUSE } else { ALLOW };
        assert_eq!(verdict(&program, HERE, call, &[]), expected, "{call}");
    }
}

#[test]
fn a_worker_has_its_pipes_memory_and_threads() {
    let program = worker().unwrap();
    let verdict = |call, arguments: &[u64]| verdict(&program, HERE, call, arguments);
    for call in WORKER.iter().chain(WORKER_HERE) {
        assert_eq!(verdict(*call, &[]), ALLOW, "{call}");
    }
    let some =
        [libc::SYS_read, libc::SYS_readv, libc::SYS_write, libc::SYS_writev, libc::SYS_clone, libc::SYS_prctl, libc::SYS_tgkill];
    let known: Vec<_> = WORKER.iter().chain(WORKER_HERE).chain(&some).copied().collect();
    for call in (0..500).filter(|call| !known.contains(call)) {
        assert_eq!(verdict(call, &[]), UNKNOWN, "{call}");
    }
    for (call, allowed) in [(libc::SYS_read, 0..1), (libc::SYS_writev, 1..3)] {
        for pipe in 0..9 {
            assert_eq!(verdict(call, &[pipe]) == ALLOW, allowed.contains(&pipe), "{call} {pipe}");
        }
    }
    let thread = 0x003d_0f00;
    assert_eq!(verdict(libc::SYS_clone, &[thread]), ALLOW);
    assert_eq!(verdict(libc::SYS_clone, &[thread & !0x0001_0000]), UNKNOWN, "a process of its own");
    assert_eq!(verdict(libc::SYS_prctl, &[15]), ALLOW);
    assert_eq!(verdict(libc::SYS_prctl, &[4]), UNKNOWN);
    assert_eq!(verdict(libc::SYS_tgkill, &[std::process::id().into()]), ALLOW);
    assert_eq!(verdict(libc::SYS_tgkill, &[1]), UNKNOWN);
}
