use super::resolve;

#[test]
fn imports_stay_in_the_snapshot() {
    let cases = [
        ("declarations/fleet.jsonnet", "lib/a.libsonnet", Some("declarations/lib/a.libsonnet")),
        ("declarations/x/a.jsonnet", "../b.libsonnet", Some("declarations/b.libsonnet")),
        ("declarations/a.jsonnet", "../overlays/./b", Some("overlays/b")),
        ("netloom:overlays/cni/a.jsonnet", "b.libsonnet", Some("netloom:overlays/cni/b.libsonnet")),
        ("a.jsonnet", "../b", None),
        ("declarations/a.jsonnet", "../../b", None),
        ("declarations/a.jsonnet", "/etc/passwd", None),
        ("declarations/a.jsonnet", "x/../../../b", None),
    ];
    for (from, path, expected) in cases {
        assert_eq!(resolve(from, path).as_deref(), expected, "{from} {path}");
    }
}
