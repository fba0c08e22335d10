//! What the stock overlays render, and what they say about mistakes.

#![allow(clippy::disallowed_methods, reason = "tests lay out their own project")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use netloom::diagnostic::rules;
use netloom::overlay::library::{self, Library};
use netloom::tree::{Node, Path, Sources};
use netloom::{Request, compile};

/// A cluster on premises, ready for one change.
struct Cluster<'a> {
    weave: &'a str,
    cache: &'a str,
    spec: &'a str,
    mtu: u32,
    files: &'a [(&'a str, &'a str)],
}

const PLAIN: Cluster<'static> =
    Cluster { weave: "{}", cache: "{enabled: false}", spec: "{kernel: '5.15'}", mtu: 9001, files: &[] };

/// What a cluster came to: files by path below its folder, and a line for each finding.
struct Outcome {
    files: BTreeMap<String, String>,
    findings: Vec<String>,
}

impl Cluster<'_> {
    fn compile(&self) -> Outcome {
        self.compile_for("1.33")
    }

    fn compile_for(&self, kubernetes: &str) -> Outcome {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("netloom-overlays-{}-{number}", std::process::id()));
        let cluster = format!(
            "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c}}\nspec:\n  network: office\n  kubernetesVersion: \
             '{kubernetes}'\n  networking:\n    weave: {}\n  dns:\n    nodeLocalCache: {}\n  nodes: {}\n",
            self.weave, self.cache, self.spec
        );
        let network = format!(
            "apiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {{name: office}}\nspec: {{static: {{cidr: 10.0.0.0/16}}, mtu: {}}}\n",
            self.mtu
        );
        let project = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\n";
        let own = [("netloom.yaml", project), ("declarations/cluster.yaml", &cluster), ("declarations/network.yaml", &network)];
        for (path, text) in own.iter().chain(self.files) {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let compiled = compile(&Request { root: root.clone(), clusters: Vec::new(), worker: PathBuf::new() }, &|_, _| {});
        fs::remove_dir_all(root).unwrap();
        let files = compiled.units.iter().filter(|unit| unit.folder == "clusters/c").flat_map(|unit| &unit.artifacts);
        let line = |finding: &netloom::diagnostic::Diagnostic| {
            let place = compiled.sources.locate(finding.span).replace("declarations/cluster.yaml:", "");
            format!("{} {place} {}", finding.code, finding.message)
        };
        Outcome {
            files: files.map(|file| (file.path.clone(), file.text.to_string())).collect(),
            // The state of Weave's makers is a note on every cluster; it is no finding about this one.
            findings: compiled.findings.iter().filter(|finding| finding.code != "overlay-lifecycle").map(line).collect(),
        }
    }
}

impl Outcome {
    fn file(&self, path: &str) -> &str {
        self.files.get(path).unwrap_or_else(|| panic!("no {path} among {:?}; {:?}", self.files.keys(), self.findings))
    }

    fn daemonset(&self) -> &str {
        self.file("kubernetes/cni/daemonset-weave-net.yaml")
    }

    /// The value of an environment variable of the DaemonSet.
    fn variable(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.daemonset().split_once(&format!("- name: {name}\n          value: "))?;
        Some(rest.lines().next()?.trim_matches('"'))
    }

    /// Codes and places of findings that are no notes about things the test does not look at.
    fn codes(&self) -> Vec<String> {
        self.findings.iter().map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }
}

fn weave(options: &str) -> Outcome {
    Cluster { weave: options, ..PLAIN }.compile()
}

fn cache(options: &str, mode: &str) -> Outcome {
    let spec = format!("{{kernel: '5.15'}}\n  kubeProxy: {{mode: {mode}}}");
    Cluster { cache: options, spec: &spec, ..PLAIN }.compile()
}

#[test]
fn the_mtu_fits_the_network_and_is_a_multiple_of_four() {
    let cases = [
        (9001, "{}", "8912"),
        (9001, "{encryption: {enabled: false}}", "8948"),
        (1500, "{}", "1412"),
        (1460, "{}", "1372"),
        // Weave's own default fits an underlay of 1460 bytes exactly.
        (1460, "{mtu: 1376}", "1376"),
        (9001, "{mtu: 8916}", "8916"),
    ];
    for (mtu, weave, expected) in cases {
        let outcome = Cluster { weave, mtu, ..PLAIN }.compile();
        assert_eq!(outcome.variable("WEAVE_MTU"), Some(expected), "{mtu} {weave}");
        assert_eq!(outcome.findings, [""; 0], "{mtu} {weave}");
        let readme = outcome.file("README.md");
        let sum = readme.lines().find(|line| line.starts_with(&format!("{mtu} − "))).unwrap_or_default();
        let terms = sum.split(" − ").skip(1).map(|term| term.split(' ').next().unwrap().parse::<u32>().unwrap());
        assert_eq!((mtu - terms.sum::<u32>()).to_string(), expected, "{sum}");
    }
}

#[test]
fn an_mtu_that_does_not_fit_is_refused() {
    // 8920 + 50 + 34 is more than 9001; one that is no multiple of four is padded.
    for (options, fits) in [("mtu: 8916", true), ("mtu: 8920", false), ("mtu: 8952, encryption: {enabled: false}", false)] {
        let refused = weave(&format!("{{{options}}}")).codes().contains(&"weave-mtu 8:18".to_owned());
        assert_eq!(refused, !fits, "{options}");
    }
    assert_eq!(weave("{mtu: 8910}").codes(), ["weave-mtu-alignment 8:18"]);
    assert_eq!(weave("{mtu: 8910, encryption: {enabled: false}}").codes(), [""; 0]);
}

#[test]
fn a_key_in_the_clear_is_refused_and_rendered_nowhere() {
    let cases = [
        ("{encryption: {key: aVeryLongSecret123}}", "weave-plaintext-key 8:31"),
        ("{encryption: {key: {value: aVeryLongSecret123}}}", "weave-plaintext-key 8:31"),
        ("{encryption: {key: {password: aVeryLongSecret123}}}", "weave-plaintext-key 8:31"),
        ("{encryption: {password: aVeryLongSecret123}}", "weave-plaintext-key 8:25"),
    ];
    for (options, expected) in cases {
        let outcome = weave(options);
        assert_eq!(outcome.codes(), [expected], "{options}");
        assert!(outcome.files.values().all(|text| !text.contains("aVeryLongSecret")), "{options}");
        assert!(!outcome.findings.join("").contains("aVeryLongSecret"), "{options}");
    }
    assert_eq!(weave("{netExtraArgs: --password=secret}").codes(), ["weave-plaintext-key 8:27"]);
}

#[test]
fn a_weak_key_is_named_where_it_can_be_seen() {
    // Nine letters and digits, kURL's own, are just above 50 bits; eight are not.
    assert_eq!(weave("{encryption: {key: wfvAwt7sj}}").codes(), ["weave-plaintext-key 8:31"]);
    assert_eq!(weave("{encryption: {key: wfvAwt7s}}").codes(), ["weave-plaintext-key 8:31", "weave-weak-password 8:31"]);
}

#[test]
fn the_key_comes_from_one_reference() {
    let reference = |outcome: &Outcome| {
        let (_, rest) = outcome.daemonset().split_once("secretKeyRef:\n").unwrap();
        rest.lines().take(2).map(|line| line.trim().split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let made = |outcome: &Outcome| {
        let base = [
            "clusterrole",
            "daemonset",
            "kustomization",
            "role-weave-net.",
            "rolebinding-weave-net.",
            "serviceaccount-weave-net.",
        ];
        let names = outcome.files.keys().filter_map(|path| path.strip_prefix("kubernetes/cni/"));
        names.filter(|name| !base.iter().any(|known| name.starts_with(known))).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let job = weave("{}");
    assert_eq!(reference(&job), ["weave-net", "network-password"]);
    let objects = [
        "job-weave-net-key-2-9-0.yaml",
        "role-weave-net-key.yaml",
        "rolebinding-weave-net-key.yaml",
        "serviceaccount-weave-net-key.yaml",
    ];
    assert_eq!(made(&job), objects);
    let existing = weave("{encryption: {key: {existingSecret: {name: weave-passwd, key: passwd}}}}");
    assert_eq!((reference(&existing), made(&existing)), (vec!["weave-passwd".into(), "passwd".into()], Vec::new()));
    let external = weave("{encryption: {key: {externalSecret: {store: {name: vault}, remoteKey: prod/weave, property: key}}}}");
    assert_eq!(made(&external), ["externalsecret-weave-net.yaml"]);
    assert!(external.file("kubernetes/cni/externalsecret-weave-net.yaml").contains("key: prod/weave\n      property: key\n"));
    let off = weave("{encryption: {enabled: false}}");
    assert!(made(&off).is_empty() && !off.daemonset().contains("WEAVE_PASSWORD"));
    assert_eq!(weave("{encryption: {key: {existingSecret: {name: a, key: b}, generate: {}}}}").codes(), ["schema 8:31"]);
}

const SEALED: &str = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: weave-key\n  namespace: kube-system\n\
                      spec:\n  encryptedData:\n    pass: AgBy3i4OJSWK\n";
const SOPS: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: weave-net\n  namespace: kube-system\nstringData:\n  \
                    note: ENC[AES256_GCM,data:a,type:str]\n  network-password: ENC[AES256_GCM,data:b,type:str]\nsops:\n  \
                    mac: ENC[AES256_GCM,data:c,type:str]\n";

#[test]
fn a_file_of_ciphertext_is_passed_through() {
    let file = |text: &str| {
        let files = [("overlays/keys/weave.yaml", text)];
        Cluster { weave: "{encryption: {key: {file: overlays/keys/weave.yaml}}}", files: &files, ..PLAIN }.compile()
    };
    for (text, path, reference) in [
        (SEALED, "sealedsecret-weave-key", "name: weave-key\n              key: pass\n"),
        (SOPS, "secret-weave-net", "name: weave-net\n              key: network-password\n"),
    ] {
        let outcome = file(text);
        assert_eq!(outcome.file(&format!("kubernetes/cni/{path}.yaml")), text);
        assert!(outcome.daemonset().contains(reference), "{}", outcome.daemonset());
        assert_eq!(outcome.codes(), ["weave-key-bootstrap 8:31"]);
    }
    let clear = SOPS.split("sops:").next().unwrap();
    let half = SOPS.replace("stringData:", "data:\n  old: aGVsbG8=\nstringData:");
    for (text, code) in
        [(clear, "weave-key-file"), (&half, "weave-key-file"), (&SEALED.replace("kube-", "my-"), "weave-key-namespace")]
    {
        let codes = file(text).codes();
        assert!(codes.contains(&format!("{code} 8:38")), "{codes:?} for {text}");
    }
}

#[test]
fn the_job_may_create_a_secret_and_nothing_else() {
    let outcome = weave("{}");
    let role = outcome.file("kubernetes/cni/role-weave-net-key.yaml");
    assert!(role.ends_with("  resources:\n  - secrets\n  verbs:\n  - create\n"), "{role}");
    let job = outcome.file("kubernetes/cni/job-weave-net-key-2-9-0.yaml");
    // 32 bytes are 256 bits; a POST creates; 409 says that there is one, which stays.
    assert!(job.contains("head -c 32 /dev/urandom") && job.contains("--data-binary @-") && job.contains("409) echo"), "{job}");
    assert!(!job.contains("--request") && !job.contains("-X "), "{job}");
}

#[test]
fn machines_that_do_not_suit_are_named() {
    let machines = |spec, weave| Cluster { spec, weave, ..PLAIN }.compile().codes();
    assert_eq!(machines("{kernel: '4.1'}", "{}"), ["weave-sleeve-fallback 11:19"]);
    assert_eq!(machines("{kernel: '4.1'}", "{encryption: {enabled: false}}"), [""; 0]);
    assert_eq!(machines("{max: 100}", "{}"), ["weave-kernel-unknown 11:10"]);
    assert_eq!(machines("{kernel: '6.1', architectures: [amd64, s390x]}", "{}"), ["weave-architecture 11:41"]);
    assert_eq!(machines("{kernel: '6.1', max: 202}", "{}"), ["weave-connlimit 8:12"]);
    assert_eq!(machines("{kernel: '6.1', max: 201}", "{}"), [""; 0]);
    assert_eq!(machines("{kernel: '6.1', max: 500}", "{connLimit: 0}"), [""; 0]);
    assert_eq!(machines("{kernel: '6.1', max: 500}", "{connLimit: 400}"), ["weave-connlimit 8:24"]);
    assert_eq!(machines("{kernel: '6.1'}\n  podCIDR: fd00:1::/64", "{}").first().unwrap(), "weave-ipv6 12:12");
}

#[test]
fn releases_and_what_goes_with_them() {
    let old = Cluster { weave: "{version: 2.8.1}", ..PLAIN };
    assert_eq!(old.compile_for("1.22").codes(), ["weave-archived 8:22"]);
    assert_eq!(old.compile_for("1.23").codes(), ["weave-archived 8:22", "weave-kubernetes 8:22"]);
    let outcome = old.compile();
    assert!(outcome.daemonset().contains("image: docker.io/weaveworks/weave-npc:2.8.1\n"));
    assert_eq!(outcome.variable("IPTABLES_BACKEND"), None);
    let outcome = weave("{}");
    assert!(outcome.daemonset().contains("image: docker.io/rajchaudhuri/weave-kube:2.9.0\n"));
    assert_eq!(outcome.daemonset().matches("- name: IPTABLES_BACKEND\n          value: nft\n").count(), 2);
    assert_eq!(weave("{version: 2.6.5}").codes(), ["weave-version 8:22"]);
    assert_eq!(weave("{iptablesBackend: legacy}").codes(), ["weave-iptables-backend 8:30"]);
    assert_eq!(weave("{netExtraArgs: --trusted-subnets=10.0.0.0/8}").codes(), ["weave-trusted-subnets 8:27"]);
}

#[test]
fn policies_are_read_where_this_kubernetes_has_them() {
    let groups = |version| {
        let outcome = PLAIN.compile_for(version);
        outcome.file("kubernetes/cni/clusterrole-weave-net.yaml").contains("- extensions\n")
    };
    assert!(groups("1.21") && !groups("1.22"));
}

#[test]
fn a_cache_takes_over_the_service_address_only_behind_iptables() {
    for (mode, bind, forward, rules, kubelet) in [
        ("iptables", "169.254.20.10 100.64.0.10", "__PILLAR__CLUSTER__DNS__", true, "100.64.0.10"),
        ("ipvs", "169.254.20.10", "100.64.0.10", true, "169.254.20.10"),
        ("nftables", "169.254.20.10", "100.64.0.10", false, "169.254.20.10"),
    ] {
        let outcome = cache("{}", mode);
        let config = outcome.file("kubernetes/dns/configmap-node-local-dns.yaml");
        assert_eq!(config.matches(&format!("bind {bind}\n")).count(), 4, "{mode}: {config}");
        assert!(config.contains(&format!("forward . {forward} {{\n            force_tcp\n")), "{mode}: {config}");
        let pods = outcome.file("kubernetes/dns/daemonset-node-local-dns.yaml");
        assert!(pods.contains(&format!("\"-localip={}\"", bind.replace(' ', ","))), "{mode}: {pods}");
        assert_eq!(pods.contains("-setupiptables=false"), !rules, "{mode}");
        assert!(outcome.file("README.md").contains(&format!("clusterDNS:\n- \"{kubelet}\"\n")), "{mode}");
    }
}

#[test]
fn the_corefile_has_what_was_asked_for() {
    let options = "{upstreamNameservers: [9.9.9.9, 1.1.1.1], stubDomains: {b.example: [10.1.1.1], a.example: ['10.2.2.2:5353']}, \
                   additionalConfig: 'x.test:53 { whoami }', metrics: {enabled: false}}";
    let outcome = cache(options, "iptables");
    let config = outcome.file("kubernetes/dns/configmap-node-local-dns.yaml");
    let place = |text: &str| config.find(text).unwrap_or_else(|| panic!("no {text:?} in {config}"));
    assert!(place("    .:53 {") < place("a.example:53 {") && place("a.example:53 {") < place("b.example:53 {"));
    assert!(place("forward . 9.9.9.9 1.1.1.1\n") < place("forward . 10.2.2.2:5353\n"));
    assert!(place("x.test:53 { whoami }") > place("b.example:53 {"));
    assert!(!config.contains("prometheus") && !outcome.files.contains_key("kubernetes/dns/service-node-local-dns.yaml"));
    let forwarded = cache("{forwardToKubeDNS: true}", "ipvs");
    let config = forwarded.file("kubernetes/dns/configmap-node-local-dns.yaml");
    assert!(!config.contains("arpa") && !config.contains("UPSTREAM") && config.matches("forward . 100.64.0.10 {").count() == 2);
}

#[test]
fn caches_that_cannot_work_are_refused() {
    for (options, expected) in [
        ("{localIP: 'fd00::a'}", "nodelocal-address-family 10:31"),
        ("{localIP: 10.0.3.4}", "nodelocal-address 10:31"),
        ("{upstreamNameservers: [169.254.20.10]}", "nodelocal-upstream-loop 10:43"),
        ("{forwardToKubeDNS: true, upstreamNameservers: [9.9.9.9]}", "nodelocal-upstream-unused 10:67"),
        ("{externalCoreFile: '. { }'}", "nodelocal-corefile-health 10:21"),
        ("{externalCoreFile: 'health 169.254.20.10:8080', stubDomains: {a: [1.1.1.1]}}", "nodelocal-corefile-unused 10:21"),
        ("{upstreamNameservers: ['9.9.9.9 { x }']}", "schema 10:44"),
        ("{stubDomains: {'a { b': [9.9.9.9]}}", "schema 10:35"),
    ] {
        let codes = cache(options, "iptables").codes();
        assert!(codes.contains(&expected.to_owned()), "{options}: {codes:?}");
    }
}

/// A value that changes the output, for each option.
const OPTIONS: [(&str, &[(&str, &str)]); 2] = [
    (
        "cni/weave",
        &[
            ("version", "2.8.1"),
            ("encryption", "{enabled: false}"),
            ("mtu", "1376"),
            ("connLimit", "100"),
            ("noMasqLocal", "0"),
            ("iptablesBackend", "auto"),
            ("hairpinMode", "false"),
            ("metrics", "{enabled: false}"),
            ("netExtraArgs", "--log-level=debug"),
            ("npcExtraArgs", "--log-level=info"),
            ("memoryRequest", "1Gi"),
            ("memoryLimit", "1Gi"),
            ("cpuRequest", "1"),
            ("cpuLimit", "2"),
            ("npcMemoryRequest", "1Gi"),
            ("npcMemoryLimit", "1Gi"),
            ("npcCPURequest", "1"),
            ("npcCPULimit", "0.5"),
        ],
    ),
    (
        "dns/nodelocal",
        &[
            ("enabled", "false"),
            ("image", "mirror.example/k8s-dns-node-cache:1.26.7"),
            ("localIP", "169.254.20.11"),
            ("healthPort", "8081"),
            ("forwardToKubeDNS", "true"),
            ("upstreamNameservers", "[9.9.9.9]"),
            ("stubDomains", "{a.example: [9.9.9.9]}"),
            ("additionalConfig", "'x:53 { whoami }'"),
            ("externalCoreFile", "'health 169.254.20.10:8080'"),
            ("coreFile", "overlays/Corefile"),
            ("podAnnotations", "{team: net}"),
            ("metrics", "{enabled: false}"),
            ("memoryRequest", "64Mi"),
            ("memoryLimit", "256Mi"),
            ("cpuRequest", "50m"),
        ],
    ),
];

#[test]
fn every_option_changes_an_output() {
    let files = [("overlays/Corefile", "health 169.254.20.10:8080\n")];
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let library = Library::read(&sources, "none", &mut Vec::new());
    for (overlay, values) in OPTIONS {
        let properties = library.get(overlay).unwrap().declared.node.at(&Path::dotted("spec.options.properties")).unwrap();
        let mut declared: Vec<&str> = properties.as_map().unwrap().keys().collect();
        let mut tried: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        declared.sort_unstable();
        tried.sort_unstable();
        assert_eq!(declared, tried, "{overlay}");
        let render = |options: &str| match overlay {
            "cni/weave" => Cluster { weave: options, files: &files, ..PLAIN }.compile().files,
            _ => Cluster { cache: options, files: &files, ..PLAIN }.compile().files,
        };
        let base = render("{}");
        let objects = |files: &BTreeMap<String, String>| {
            files
                .iter()
                .filter(|(path, _)| path.starts_with("kubernetes/"))
                .map(|(a, b)| (a.clone(), b.clone()))
                .collect::<Vec<_>>()
        };
        for (name, value) in values {
            assert_ne!(objects(&render(&format!("{{{name}: {value}}}"))), objects(&base), "{overlay}: {name}");
        }
    }
}

#[test]
fn objects_are_valid_for_every_version_and_hold_no_variable_of_flux() {
    for minor in 25..=37 {
        let outcome = Cluster { cache: "{}", ..PLAIN }.compile_for(&format!("1.{minor}"));
        assert_eq!(outcome.findings, [""; 0], "1.{minor}");
        let objects = outcome.files.iter().filter(|(path, _)| path.starts_with("kubernetes/"));
        objects.for_each(|(path, text)| assert!(!text.contains("${"), "{path}"));
    }
}

#[test]
fn the_overlays_named_after_weave_patch_the_declaration() {
    let with = |name: &str| {
        let spec = format!("{{kernel: '5.15'}}\n  overlays: [{name}]");
        Cluster { spec: &spec, weave: "{noMasqLocal: 0}", ..PLAIN }.compile()
    };
    let open = with("weave-no-encryption");
    assert!(!open.daemonset().contains("WEAVE_PASSWORD") && open.file("README.md").contains("**not encrypted**"));
    assert_eq!(with("weave-no-masquerade").variable("NO_MASQ_LOCAL"), Some("1"));
}

#[test]
fn overlays_keep_to_the_forms_that_others_rely_on() {
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let mut findings = Vec::new();
    let library = Library::read(&sources, "none", &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    for overlay in library.iter() {
        for assertion in &overlay.spec().assertions {
            let (code, text) = (&assertion.code, &assertion.explanation);
            assert!(rules::find(code).is_none(), "{code} is the core's");
            assert!(
                text.starts_with(|c: char| !c.is_lowercase()) || text.starts_with("kops") || text.starts_with("netloom"),
                "{code}"
            );
            assert!(text.trim_end().ends_with('.') && !assertion.message.trim_end().ends_with('.'), "{code}");
        }
        // The description of a security group's rule takes these characters only (EC2 API reference, IpRange).
        let ports = overlay.declared.node.at(&Path::dotted("spec.facts.ports")).and_then(Node::as_list).unwrap_or_default();
        for because in ports.iter().filter_map(|port| port.str_at("because")) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
            assert!(because.chars().all(allowed) && because.len() < 200, "{because}");
        }
    }
}
