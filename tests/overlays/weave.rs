//! Weave Net.

use super::{Cluster, Outcome, PLAIN};

fn weave(options: &str) -> Outcome {
    Cluster { weave: options, ..PLAIN }.compile()
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
        let refused = weave(&format!("{{{options}}}")).codes().contains(&"mtu-mismatch 8:12".to_owned());
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
    assert_eq!(machines("{kernel: '6.1', architectures: [amd64, s390x]}", "{}"), ["architecture 11:41"]);
    assert_eq!(machines("{kernel: '6.1', max: 202}", "{}"), ["weave-connlimit 8:12"]);
    assert_eq!(machines("{kernel: '6.1', max: 201}", "{}"), [""; 0]);
    assert_eq!(machines("{kernel: '6.1', max: 500}", "{connLimit: 0}"), [""; 0]);
    assert_eq!(machines("{kernel: '6.1', max: 500}", "{connLimit: 400}"), ["weave-connlimit 8:24"]);
    assert_eq!(machines("{kernel: '6.1'}\n  podCIDR: fd00:1::/64", "{}").first().unwrap(), "pod-ipv6 12:12");
}

#[test]
fn releases_and_what_goes_with_them() {
    let old = Cluster { weave: "{version: 2.8.1}", ..PLAIN };
    assert_eq!(old.compile_for("1.22").codes(), ["weave-archived 8:22", "kubernetes-schemas 6:22"]);
    let codes = ["weave-archived 8:22", "weave-kubernetes 8:22", "kubernetes-schemas 6:22"];
    assert_eq!(old.compile_for("1.23").codes(), codes);
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
    assert!(groups("1.17") && !groups("1.18"));
}

#[test]
fn the_overlays_named_after_weave_patch_the_declaration() {
    let with = |name: &str| {
        let spec = format!("{{kernel: '5.15'}}\n  overlays: [{name}]");
        Cluster { spec: &spec, weave: "{noMasqLocal: 0}", ..PLAIN }.compile()
    };
    let open = with("weave/no-encryption");
    assert!(!open.daemonset().contains("WEAVE_PASSWORD") && open.file("README.md").contains("**not encrypted**"));
    assert_eq!(with("weave/no-masquerade").variable("NO_MASQ_LOCAL"), Some("1"));
}
