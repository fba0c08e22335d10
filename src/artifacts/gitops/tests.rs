use super::*;
use schema::{Home, Identity};
use tree::Sources;

fn node(text: &str) -> Node {
    yaml::read(text, Sources::default().add("", text.to_owned()), &mut Vec::new()).into_iter().next().unwrap_or_default()
}

fn project(gitops: &str) -> Project {
    let text = format!("{{apiVersion: netloom.dev/v1alpha1, kind: Project, metadata: {{name: fleet}}, spec: {{{gitops}}}}}");
    model::declare::decode(node(&text), &mut Vec::new()).expect("a project").value
}

/// `SLOT@COMPONENT`, or a component outside of slots. `cni` and `dns` are slots whose overlay names no component.
fn home(text: &str) -> Home {
    let (slot, component) = text.split_once('@').unwrap_or((if matches!(text, "cni" | "dns") { text } else { "" }, text));
    Home { component: component.into(), slot: (!slot.is_empty()).then(|| slot.into()) }
}

fn object(place: &str, text: &str) -> Arc<Object> {
    let node = node(text);
    Arc::new(Object::new(Identity::of(&node).expect("an identity"), home(place), node))
}

/// A cluster's objects, in order.
fn objects() -> Vec<Arc<Object>> {
    let mut objects: Vec<_> = [
        ("cni", "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: kube-system}}"),
        ("dns", "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: node-local-dns, namespace: kube-system}}"),
        ("crds", "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.example.com}}"),
        ("namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: web}}"),
        ("default-deny", "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: web}}"),
        ("mirror", "{apiVersion: v1, kind: ConfigMap, metadata: {name: mirror, namespace: web}}"),
        ("mirror", "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: mirror, namespace: web}}"),
    ]
    .map(|(component, text)| object(component, text))
    .into();
    kustomization::sort(&mut objects);
    objects
}

fn text(artifacts: &[Artifact], path: &str) -> String {
    let found = artifacts.iter().find(|artifact| artifact.path == path);
    found.map(|artifact| artifact.text.to_string()).unwrap_or_default()
}

#[test]
fn nothing_is_written_unless_asked_for() {
    assert_eq!(artifacts(&project(""), "prod", &objects()), []);
    assert_eq!(artifacts(&project("gitops: {flux: {}}"), "prod", &[]), []);
}

#[test]
fn components_are_listed_in_the_order_in_which_they_are_applied() {
    let expected = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- prod-crds.yaml
- prod-namespaces.yaml
- prod-cni.yaml
- prod-dns.yaml
- prod-mirror.yaml
- prod-default-deny.yaml
";
    for gitops in ["gitops: {flux: {}}", "gitops: {argo: {repoURL: 'https://git.example.com/fleet'}}"] {
        let artifacts = artifacts(&project(gitops), "prod", &objects());
        assert_eq!(artifacts.len(), 7);
        assert_eq!(text(&artifacts, "gitops/kustomization.yaml"), expected);
    }
}

#[test]
fn flux_keeps_the_network_provider_and_waits_for_what_comes_before() {
    let gitops =
        "gitops: {flux: {sourceName: fleet, namespace: sync, interval: 1h}}, paths: {repository: infra, output: out/rendered}";
    let artifacts = artifacts(&project(gitops), "prod", &objects());
    assert_eq!(
        text(&artifacts, "gitops/prod-cni.yaml"),
        "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: prod-cni
  namespace: sync
spec:
  interval: \"1h\"
  retryInterval: \"2m\"
  timeout: \"5m\"
  wait: true
  prune: false
  deletionPolicy: Orphan
  path: \"./infra/out/rendered/clusters/prod/kubernetes/cni\"
  sourceRef:
    kind: GitRepository
    name: fleet
  dependsOn:
  - name: prod-crds
  - name: prod-namespaces
"
    );
}

#[test]
fn flux_prunes_the_other_components() {
    let artifacts = artifacts(&project("gitops: {flux: {}}"), "prod", &objects());
    assert_eq!(
        text(&artifacts, "gitops/prod-crds.yaml"),
        "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: prod-crds
  namespace: flux-system
spec:
  interval: \"10m\"
  retryInterval: \"2m\"
  timeout: \"5m\"
  wait: true
  prune: true
  path: \"./rendered/clusters/prod/kubernetes/crds\"
  sourceRef:
    kind: GitRepository
    name: flux-system
"
    );
    let needed = |component: &str| {
        let text = text(&artifacts, &format!("gitops/prod-{component}.yaml"));
        text.split_once("dependsOn:\n").map(|(_, list)| list.replace("  - name: ", "").replace('\n', " ")).unwrap_or_default()
    };
    assert_eq!(needed("dns"), "prod-cni ");
    assert_eq!(needed("mirror"), "prod-dns ");
    assert_eq!(needed("default-deny"), "prod-mirror ");
}

#[test]
fn without_a_stage_the_next_earlier_one_is_waited_for() {
    let objects: Vec<_> = objects().into_iter().filter(|object| matches!(object.component(), "cni" | "default-deny")).collect();
    let artifacts = artifacts(&project("gitops: {flux: {}}"), "prod", &objects);
    assert!(text(&artifacts, "gitops/prod-default-deny.yaml").ends_with("  dependsOn:\n  - name: prod-cni\n"));
}

#[test]
fn argo_applies_components_in_waves_and_keeps_the_network_provider() {
    let repository = "repoURL: 'https://git.example.com/fleet', destinations: {prod: prod-usw2}";
    let artifacts = artifacts(&project(&format!("gitops: {{argo: {{{repository}}}}}")), "prod", &objects());
    assert_eq!(
        text(&artifacts, "gitops/prod-cni.yaml"),
        "\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: prod-cni
  namespace: argocd
  annotations:
    argocd.argoproj.io/manifest-generate-paths: \".\"
    argocd.argoproj.io/sync-wave: \"-5\"
spec:
  project: default
  source:
    repoURL: https://git.example.com/fleet
    targetRevision: HEAD
    path: rendered/clusters/prod/kubernetes/cni
  destination:
    name: prod-usw2
    namespace: default
  syncPolicy:
    automated:
      prune: false
      selfHeal: true
    syncOptions:
    - ServerSideApply=true
"
    );
    let line = |component: &str, key: &str| {
        let text = text(&artifacts, &format!("gitops/prod-{component}.yaml"));
        text.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::to_owned).unwrap_or_default()
    };
    let waves = ["crds", "namespaces", "cni", "dns", "mirror", "default-deny"];
    let waves = waves.map(|component| line(component, "argocd.argoproj.io/sync-wave: "));
    assert_eq!(waves, ["\"-10\"", "\"-10\"", "\"-5\"", "\"-3\"", "\"0\"", "\"5\""]);
    assert_eq!(line("dns", "prune: "), "true");
}

#[test]
fn argo_deploys_to_its_own_cluster_unless_told_otherwise() {
    let gitops = "gitops: {argo: {repoURL: 'https://git.example.com/fleet', targetRevision: main, namespace: sync, project: net}}, paths: {repository: infra}";
    let artifacts = artifacts(&project(gitops), "lab", &objects());
    let text = text(&artifacts, "gitops/lab-dns.yaml");
    assert!(text.contains("  destination:\n    server: https://kubernetes.default.svc\n    namespace: default\n"), "{text}");
    assert!(text.contains("  project: net\n"), "{text}");
    assert!(text.contains("    targetRevision: main\n    path: infra/rendered/clusters/lab/kubernetes/dns\n"), "{text}");
    assert!(text.contains("  name: lab-dns\n  namespace: sync\n"), "{text}");
}

#[test]
fn an_interval_that_flux_would_not_take_is_refused() {
    let document = |interval: &str| {
        let gitops = format!("{{flux: {{interval: {interval}}}}}");
        let text =
            format!("{{apiVersion: netloom.dev/v1alpha1, kind: Project, metadata: {{name: fleet}}, spec: {{gitops: {gitops}}}}}");
        let mut findings = Vec::new();
        model::declare::decode::<Project>(node(&text), &mut findings);
        findings.len()
    };
    assert_eq!(["10m", "1h30m", "1.5h", "soon", "10", "'1 h'"].map(document), [0, 0, 0, 1, 1, 1]);
}

/// The metadata of an object with its annotations.
fn metadata(gitops: &str, component: &str, text: &str) -> String {
    let project = project(&format!("gitops: {{{gitops}}}"));
    let object = annotated(project.spec.gitops.as_ref(), &object(component, text));
    to_yaml(object.node.get("metadata").expect("metadata"))
}

const FLUX: &str = "flux: {}";
const ARGO: &str = "argo: {repoURL: 'https://git.example.com/fleet'}";

#[test]
fn flux_does_not_prune_what_takes_more_with_it() {
    let disabled = "name: a\nannotations:\n  kustomize.toolkit.fluxcd.io/prune: disabled\n";
    assert_eq!(metadata(FLUX, "cni", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"), disabled);
    assert_eq!(metadata(FLUX, "web", "{apiVersion: v1, kind: Namespace, metadata: {name: a}}"), disabled);
    let definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}}";
    assert_eq!(metadata(FLUX, "crds", definition), disabled);
    assert_eq!(metadata(FLUX, "dns", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"), "name: a\n");
}

#[test]
fn text_that_flux_takes_for_variables_is_protected() {
    let script = |text: &str| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{run: '{text}'}}}}");
    let protected = "name: a\nannotations:\n  kustomize.toolkit.fluxcd.io/substitute: disabled\n";
    assert_eq!(metadata(FLUX, "dns", &script("echo ${HOME}")), protected);
    assert_eq!(metadata(FLUX, "dns", &script("echo $${HOME}")), protected);
    assert_eq!(metadata(FLUX, "dns", &script("echo $HOME $(date)")), "name: a\n");
    assert_eq!(metadata("flux: {substitution: false}", "dns", &script("echo ${HOME}")), "name: a\n");
    assert_eq!(metadata(FLUX, "dns", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {'${X}': v}}"), protected);
}

#[test]
fn argo_keeps_what_takes_more_with_it_and_orders_objects() {
    let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
    let options = "argocd.argoproj.io/sync-options: Delete=false,Prune=false";
    assert_eq!(
        metadata(ARGO, "cni", object),
        format!("name: a\nannotations:\n  {options}\n  argocd.argoproj.io/sync-wave: \"-5\"\n")
    );
    assert_eq!(
        metadata(ARGO, "web", "{apiVersion: v1, kind: Namespace, metadata: {name: a}}"),
        format!("name: a\nannotations:\n  {options}\n  argocd.argoproj.io/sync-wave: \"-10\"\n")
    );
    assert_eq!(metadata(ARGO, "dns", object), "name: a\nannotations:\n  argocd.argoproj.io/sync-wave: \"-3\"\n");
    assert_eq!(metadata(ARGO, "web", object), "name: a\n");
}

#[test]
fn annotations_that_an_overlay_set_stay() {
    let annotated = |annotations: &str| {
        let text = format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, annotations: {{{annotations}}}}}}}");
        metadata(ARGO, "cni", &text).replace("name: a\nannotations:\n", "").replace("  argocd.argoproj.io/", "")
    };
    assert_eq!(annotated("b: c"), "  b: c\nsync-options: Delete=false,Prune=false\nsync-wave: \"-5\"\n");
    assert_eq!(
        annotated("argocd.argoproj.io/sync-options: 'Replace=true, Prune=confirm', argocd.argoproj.io/sync-wave: '3'"),
        "sync-options: Replace=true,Prune=confirm,Delete=false\nsync-wave: \"3\"\n"
    );
    let text =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {kustomize.toolkit.fluxcd.io/prune: enabled}}}";
    assert_eq!(metadata(FLUX, "cni", text), "name: a\nannotations:\n  kustomize.toolkit.fluxcd.io/prune: enabled\n");
}

#[test]
fn a_slot_is_not_the_name_of_a_component() {
    let [agent, web] = ["agent", "web"].map(|name| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}"));
    let deny = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: web}}";
    // The provider's component has another name; what is called like its slot guards it, and fills none.
    let places = [("cni@network", &*agent), ("dns@names", &agent), ("@cni", &web), ("network", &web), ("deny", deny)];
    let mut objects: Vec<_> = places.iter().map(|(place, text)| object(place, text)).collect();
    kustomization::sort(&mut objects);
    let flux = artifacts(&project("gitops: {flux: {}}"), "prod", &objects);
    let said = |component: &str| {
        let text = text(&flux, &format!("gitops/prod-{component}.yaml"));
        let line = |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap_or_default().trim().to_owned();
        (line("prune:"), line("deletionPolicy:"), line("- name:"))
    };
    let expected = |prune: &str, policy: &str, needs: &str| (prune.to_owned(), policy.to_owned(), needs.to_owned());
    assert_eq!(said("network"), expected("false", "Orphan", ""));
    assert_eq!(said("names"), expected("true", "", "prod-network"));
    assert_eq!(said("cni"), expected("true", "", "prod-names"));
    assert_eq!(said("deny"), expected("true", "", "prod-cni"));
    let argo = artifacts(&project(&format!("gitops: {{{ARGO}}}")), "prod", &objects);
    let waves = ["network", "names", "cni"].map(|component| {
        let text = text(&argo, &format!("gitops/prod-{component}.yaml"));
        (text.contains("sync-wave: \"-5\""), text.contains("prune: false"))
    });
    assert_eq!(waves, [(true, true), (false, false), (false, false)]);
    let options = metadata(ARGO, "cni@network", &agent);
    assert!(options.contains("Prune=false") && options.contains("sync-wave: \"-5\""), "{options}");
    assert_eq!(metadata(ARGO, "@cni", &agent), "name: agent\n");
    // Two overlays in one component: what is not the provider's may be pruned.
    assert_eq!(metadata(FLUX, "network", &web), "name: web\n");
}

#[test]
fn an_object_with_all_its_annotations_stays_the_same_one() {
    let project = project("gitops: {flux: {}}");
    let gitops = project.spec.gitops.as_ref();
    let first = annotated(gitops, &object("cni", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"));
    assert!(Arc::ptr_eq(&first, &annotated(gitops, &first)));
    assert!(Arc::ptr_eq(&first, &annotated(None, &first)));
}

#[test]
fn a_name_that_is_too_long_for_a_label_is_refused() {
    let cluster = |name: &str| {
        let spec = "{network: n, kubernetesVersion: '1.33', networking: {mynet: {}}}";
        let text = format!("{{apiVersion: netloom.dev/v1alpha1, kind: Cluster, metadata: {{name: {name}}}, spec: {spec}}}");
        model::declare::decode::<Cluster>(node(&text), &mut Vec::new()).expect("a cluster")
    };
    let findings = |gitops: &str, name: &str| {
        let mut findings = Vec::new();
        check(&project(gitops), &cluster(name), &objects(), &mut findings);
        findings.into_iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>()
    };
    let name = "c".repeat(51);
    assert_eq!(
        findings("gitops: {flux: {}}", &name),
        [format!("gitops-name: the Flux Kustomization `{name}-default-deny` would have a name of 64 characters")]
    );
    assert_eq!(findings("gitops: {flux: {}}", &name[1..]), [""; 0]);
    assert_eq!(findings(&format!("gitops: {{{ARGO}}}"), &name), [""; 0]);
}
