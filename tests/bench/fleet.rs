//! `cargo bench`: what a fleet costs, beside the least it could cost.
//!
//! For N clusters, on disk and on tmpfs, prints whole-process wall times of a cold render, a render that changes nothing, a
//! render after one cluster changed, and `check`; next to the floor, which is a plain loop in this process that writes the same
//! bytes to the same files, and one that reads and hashes inputs and outputs. Medians of several runs, and the peak memory of
//! a cold render that is not timed, because looking at a process keeps it from its work. A second table is about `explain`, a third
//! about policies and cross-checks, a fourth about a change of one cluster.
//!
//! On a disk nothing is deleted before the end: an ext4 without a journal passes over inodes that were freed in the last one to five
//! minutes (`RECENTCY_MIN` and `RECENTCY_DIRTY` in `fs/ext4/ialloc.c`), and what is measured then is the tidying before.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The allocator of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let sizes: Vec<usize> = match std::env::var("NETLOOM_BENCH_SIZES") {
        Ok(sizes) => sizes.split(',').map(|size| size.parse().unwrap()).collect(),
        Err(_) => vec![10, 100, 1000],
    };
    println!(
        "| where | clusters | files | MB | floor: write | cold | cold/floor | floor: read | no change | one changed | check | peak MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let below = |root: &str| Path::new(root).join(format!("netloom-bench-{}", std::process::id()));
    let (tmpfs, disk) = (below("/dev/shm"), below(env!("CARGO_TARGET_TMPDIR")));
    sizes.iter().for_each(|clusters| println!("{}", row("tmpfs", *clusters, &tmpfs.join(clusters.to_string()))));
    fs::remove_dir_all(&tmpfs).unwrap();
    // After the other, because the system goes on writing to a disk for a while, and needs the processors for that.
    sizes.iter().for_each(|clusters| println!("{}", row("disk", *clusters, &disk.join(clusters.to_string()))));
    println!("\n| clusters | values | compile | compile, watched | more | explain one value | origins of all values |");
    println!("|---|---|---|---|---|---|---|");
    for &clusters in &sizes {
        println!("{}", origins(clusters, &tmpfs));
        fs::remove_dir_all(&tmpfs).unwrap();
    }
    println!("\n| clusters | cold | policies | cross-checks | both/cold |");
    println!("|---|---|---|---|---|");
    for &clusters in &sizes {
        println!("{}", checked(clusters, &tmpfs));
        fs::remove_dir_all(&tmpfs).unwrap();
    }
    println!("\n| clusters | floor: read | check | diff of one | diff/check | check --staged of one | staged/floor |");
    println!("|---|---|---|---|---|---|---|");
    for &clusters in &sizes {
        println!("{}", compared(clusters, &tmpfs));
        fs::remove_dir_all(&tmpfs).unwrap();
    }
    fs::remove_dir_all(disk).unwrap();
}

/// The stock policies that the fleet keeps: all but `deletion-protection`, which it breaks.
const POLICIES: [&str; 13] = [
    "default-deny",
    "encryption-in-production",
    "flow-logs",
    "iam-no-wildcard-actions",
    "images-pinned",
    "kubenet-node-limit",
    "mtu-of-peers",
    "nat-per-zone",
    "no-open-access",
    "no-plaintext-secret",
    "no-privileged-pods",
    "no-wildcard-rbac",
    "zones-in-production",
];

/// Runs the cross-checks of every cluster once more.
struct Again;

impl netloom::Witness for Again {
    fn network(&self, _: &netloom::NetworkSeen<'_>) {}
    fn cluster(&self, seen: &netloom::ClusterSeen<'_>) {
        let mut findings = Vec::new();
        let facts: Vec<_> = seen.instances.iter().map(|one| (one.facts.clone(), one.place)).collect();
        let draft = seen.template.map(|template| netloom::artifacts::cloudformation::Draft::new(template.clone()));
        let (cluster, plan, objects) = (&seen.effective.cluster, seen.plan, seen.objects);
        netloom::checks::check::declarations(cluster, seen.effective.network, &facts, &mut findings);
        let options = seen.effective.overlays.iter().map(|one| &one.options);
        let declared = [&cluster.node, &seen.effective.network.node].into_iter().chain(options).collect();
        let authors = &netloom::checks::check::Authors::new(seen.sources, "overlays", declared);
        let (facts, draft, schemas) = (&facts, draft.as_ref(), seen.tools.schemas);
        let rendered = netloom::checks::check::Rendered { cluster, facts, plan, objects, draft, authors, schemas };
        netloom::checks::check::artifacts(rendered, &mut findings);
    }
}

/// What policies and cross-checks cost, beside a cold render on tmpfs: compiling in this process with policies and without, and with
/// the cross-checks of every cluster made twice.
fn checked(clusters: usize, place: &Path) -> String {
    let project = place.join("project");
    generate(&project, clusters);
    let worker = PathBuf::from(env!("CARGO_BIN_EXE_netloom"));
    let request = netloom::Request { root: project.clone(), clusters: Vec::new(), worker };
    let cold = median(clusters, || {
        _ = fs::remove_dir_all(project.join("rendered"));
        netloom(&["render"], &project)
    });
    let without =
        median(clusters, || timed(|| assert!(!netloom::findings::has_errors(&netloom::compile(&request, &|_, _| {}).findings))));
    let watched = median(clusters, || timed(|| _ = netloom::witnessed(&request, &Onlooker)));
    let again = median(clusters, || timed(|| _ = netloom::witnessed(&request, &Again)));
    let selected: String = POLICIES.iter().map(|name| format!("    - policy: {name}\n")).collect();
    fs::write(project.join("netloom.yaml"), format!("{PROJECT}  policies:\n{selected}")).unwrap();
    let with =
        median(clusters, || timed(|| assert!(!netloom::findings::has_errors(&netloom::compile(&request, &|_, _| {}).findings))));
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let (policies, checks) = (with.saturating_sub(without), again.saturating_sub(watched));
    let share = (policies + checks).as_secs_f64() / cold.as_secs_f64();
    format!("| {clusters} | {} | {} | {} | {share:.2} |", ms(cold), ms(policies), ms(checks))
}

/// What a change of one cluster costs, with the fleet in Git: `diff`, beside a `check` that finds nothing, and `check --staged`, beside
/// reading the project's files.
fn compared(clusters: usize, place: &Path) -> String {
    let project = place.join("project");
    generate(&project, clusters);
    netloom(&["render"], &project);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "gc.auto=0"]).args(arguments);
        assert!(command.current_dir(&project).env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success(), "{arguments:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "all"]);
    git(&["repack", "-q", "-a", "-d"]);
    let read = median(clusters, || {
        timed(|| _ = ["declarations", "overlays", "rendered"].map(|folder| read_tree(&project.join(folder)).len()))
    });
    let check = median(clusters, || netloom(&["check"], &project));
    fs::write(project.join("declarations/cluster-0000.yaml"), cluster(0, "{mtu: 8008}")).unwrap();
    netloom(&["render"], &project);
    git(&["add", "-A"]);
    let diff = median(clusters, || netloom(&["diff", "--base", "HEAD"], &project));
    let staged = median(clusters, || netloom(&["check", "--staged"], &project));
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let ratio = |time: Duration, of: Duration| time.as_secs_f64() / of.as_secs_f64();
    format!(
        "| {clusters} | {} | {} | {} | {:.2} | {} | {:.2} |",
        ms(read),
        ms(check),
        ms(diff),
        ratio(diff, check),
        ms(staged),
        ratio(staged, read)
    )
}

/// Sees units as `explain` does, and asks nothing.
struct Onlooker;

impl netloom::Witness for Onlooker {
    fn network(&self, _: &netloom::NetworkSeen<'_>) {}
    fn cluster(&self, _: &netloom::ClusterSeen<'_>) {}
}

/// What origins cost: compiling in this process with nobody looking on and with somebody, one answer of the command, and the origins
/// of every value of the fleet.
fn origins(clusters: usize, place: &Path) -> String {
    let project = place.join("project");
    generate(&project, clusters);
    netloom(&["render"], &project);
    let worker = PathBuf::from(env!("CARGO_BIN_EXE_netloom"));
    let request = netloom::Request { root: project.clone(), clusters: Vec::new(), worker };
    let plain = median(clusters, || timed(|| _ = netloom::compile(&request, &|_, _| {})));
    let watched = median(clusters, || timed(|| _ = netloom::witnessed(&request, &Onlooker)));
    let value =
        "rendered/clusters/cluster-0000/kubernetes/cni/daemonset-weave-net.yaml:spec.template.spec.containers[weave].image";
    let one = median(clusters, || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netloom"));
        command.args(["explain", value, "--project"]).arg(&project).stdout(Stdio::null());
        timed(|| assert!(command.status().unwrap().success()))
    });
    let values = std::sync::atomic::AtomicUsize::new(0);
    let count =
        |_: &str, _: &str, _: &netloom::report::explain::Origin| _ = values.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let all = timed(|| _ = netloom::report::explain::every(&request, &count));
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let more = (watched.as_secs_f64() / plain.as_secs_f64() - 1.0) * 100.0;
    let values = values.into_inner();
    format!("| {clusters} | {values} | {} | {} | {more:.1} % | {} | {} |", ms(plain), ms(watched), ms(one), ms(all))
}

fn row(name: &str, clusters: usize, place: &Path) -> String {
    let project = place.join("project");
    generate(&project, clusters);
    let output = project.join("rendered");
    let mut names = (0..).map(|number| place.join(format!("old-{number}")));
    let mut aside = |folder: &Path| fs::rename(folder, names.next().unwrap()).unwrap();
    let peak = peak_memory(&["render"], &project);
    let copy = place.join("copy");
    let cold = median(clusters, || {
        aside(&output);
        netloom(&["render"], &project)
    });
    let files = read_tree(&output);
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let write = median(clusters, || {
        let time = timed(|| write_tree(&copy, &files));
        aside(&copy);
        time
    });
    let read = median(clusters, || {
        timed(|| {
            _ = read_tree(&project).iter().map(|(_, bytes)| blake3::hash(bytes)).fold(0u8, |sum, hash| sum ^ hash.as_bytes()[0])
        })
    });
    let same = median(clusters, || netloom(&["render"], &project));
    let mut mtu = 8000;
    let changed = median(clusters, || {
        mtu += 4;
        fs::write(project.join("declarations/cluster-0000.yaml"), cluster(0, &format!("{{mtu: {mtu}}}"))).unwrap();
        netloom(&["render"], &project)
    });
    let check = median(clusters, || netloom(&["check"], &project));
    let ratio = cold.as_secs_f64() / write.as_secs_f64();
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    format!(
        "| {name} | {clusters} | {} | {:.1} | {} | {} | {ratio:.1} | {} | {} | {} | {} | {} |",
        files.len(),
        bytes as f64 / 1e6,
        ms(write),
        ms(cold),
        ms(read),
        ms(same),
        ms(changed),
        ms(check),
        peak / 1024
    )
}

/// The middle one of several runs: of many where each takes little, so that chance has little to say.
fn median(clusters: usize, run: impl FnMut() -> Duration) -> Duration {
    let runs = (210 / clusters).clamp(5, 21);
    let mut times: Vec<Duration> = std::iter::repeat_with(run).take(runs).collect();
    times.sort();
    times[runs / 2]
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The command line of netloom, which prints nothing.
fn command(arguments: &[&str], project: &Path) -> Command {
    let mut netloom = Command::new(env!("CARGO_BIN_EXE_netloom"));
    netloom.args(arguments).args(["-q", "--project"]).arg(project).stdout(Stdio::null());
    netloom
}

/// Runs netloom; returns the wall time of the process.
fn netloom(arguments: &[&str], project: &Path) -> Duration {
    let mut netloom = command(arguments, project);
    timed(|| assert!(netloom.status().unwrap().success(), "netloom {arguments:?}"))
}

/// Runs netloom and looks at it all the time; returns its peak memory in KiB.
fn peak_memory(arguments: &[&str], project: &Path) -> u64 {
    let mut child = command(arguments, project).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(high_water_mark(&child));
    }
    peak
}

fn high_water_mark(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// The floor of reading: every file below a folder, in memory.
fn read_tree(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(|file| (file.path().strip_prefix(root).unwrap().to_owned(), fs::read(file.path()).unwrap())).collect()
}

/// The floor of writing: a plain loop.
fn write_tree(root: &Path, files: &[(PathBuf, Vec<u8>)]) {
    let mut folder = PathBuf::new();
    for (path, bytes) in files {
        let path = root.join(path);
        if path.parent() != Some(&folder) {
            folder = path.parent().unwrap().to_owned();
            fs::create_dir_all(&folder).unwrap();
        }
        fs::write(path, bytes).unwrap();
    }
}

/// A project of `clusters` clusters, four to a network, with an environment overlay, a patch and values of each cluster's own.
fn generate(project: &Path, clusters: usize) {
    let write = |path: &str, text: &str| {
        let path = project.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("netloom.yaml", PROJECT);
    write("overlays/environment/overlay.yaml", OVERLAY);
    write("overlays/environment/weave.yaml", PATCH);
    write("overlays/environment/quota.yaml", OBJECT);
    for index in 0..clusters {
        write(&format!("declarations/cluster-{index:04}.yaml"), &cluster(index, "{}"));
        if index % 4 == 0 {
            write(&format!("declarations/network-{:04}.yaml", index / 4), &network(index / 4));
        }
    }
}

fn network(index: usize) -> String {
    format!(
        "apiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {{name: network-{index:04}}}\nspec:\n  aws:\n    region: us-west-2\n    \
         cidr: 10.{}.0.0/16\n    zones: [us-west-2a, us-west-2b, us-west-2c]\n    topology: private\n",
        index % 200
    )
}

fn cluster(index: usize, weave: &str) -> String {
    format!(
        "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata:\n  name: cluster-{index:04}\n  labels: {{env: prod}}\nspec:\n  \
         network: network-{:04}\n  kubernetesVersion: \"1.33\"\n  nodes: {{max: {}, kernel: \"6.1\"}}\n  networking: {{weave: {weave}}}\n  \
         dns: {{nodeLocalCache: {{}}}}\n  access: {{api: [198.51.{}.0/24]}}\n",
        index / 4,
        20 + index % 100,
        index % 256
    )
}

const PROJECT: &str = "apiVersion: netloom.dev/v1alpha1
kind: Project
metadata: {name: bench}
spec:
  layers:
    - overlay: environment
      clusters: {matchLabels: {env: prod}}
  gitops: {flux: {}}
";

const OVERLAY: &str = "apiVersion: netloom.dev/v1alpha1
kind: Overlay
metadata: {name: environment}
spec:
  resources: [quota.yaml]
  patches: [{path: weave.yaml}]
";

const PATCH: &str = "apiVersion: apps/v1
kind: DaemonSet
metadata: {name: weave-net, namespace: kube-system}
spec:
  template:
    spec:
      containers:
        - name: weave
          env:
            - {name: NETLOOM_CLUSTER, value: '{{ cluster.name }}'}
";

const OBJECT: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: cluster-facts
  namespace: kube-system
data:
  cluster: '{{ cluster.name }}'
  nodes: '{{ cluster.nodes.max|string }}'
  mtu: '{{ network.mtu|string }}'
";
