//! What is said of strategic merge patches that are wrong.

use super::cases::patched;

/// What is wrong with a patch to an object.
fn refused(patch: &str) -> Vec<String> {
    let object = "\
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: weave-net
  namespace: kube-system
  finalizers: [netloom.dev/a, netloom.dev/b]
spec:
  template:
    spec:
      containers:
      - name: weave
        image: weave-kube:2.8.1
        ports: [{containerPort: 53, protocol: TCP, name: dns}, {containerPort: 53, protocol: UDP, name: dns-udp}]
      - name: weave-npc
        image: weave-npc:2.8.1
        env: [{name: TWICE, value: '1'}, {name: TWICE, value: '2'}]
";
    patched(object, patch).1
}

#[test]
fn deleting_what_is_not_there_is_an_error_with_candidates() {
    let patch = "\
spec:
  template:
    spec:
      containers:
      - name: weave-ncp
        $patch: delete
      - name: weave
        env:
        - name: X
          $patch: delete
        ports:
        - containerPort: 80
          $patch: delete
      nodeSelector:
        $patch: delete
      initContainers:
      - name: weave-init
        $patch: delete
      tolerations:
      - $patch: delete
";
    assert_eq!(
        refused(patch),
        [
            "5:9 patch-no-match: `$patch: delete` matches nothing: there is no `spec.template.spec.containers[name=weave-ncp]` \
             (did you mean `weave-npc`?)",
            "9:11 patch-no-match: `$patch: delete` matches nothing: there is no \
             `spec.template.spec.containers[name=weave].env[name=X]` (there are no elements)",
            "12:11 patch-no-match: `$patch: delete` matches nothing: there is no \
             `spec.template.spec.containers[name=weave].ports[containerPort=80]` (the elements are `53/TCP`, `53/UDP`)",
            "15:9 patch-no-match: `$patch: delete` matches nothing: the object has no `spec.template.spec.nodeSelector`",
            "17:9 patch-no-match: `$patch: delete` matches nothing: there is no \
             `spec.template.spec.initContainers[name=weave-init]` (there are no elements)",
            "20:9 patch-no-match: `$patch: delete` matches nothing: the object has no `spec.template.spec.tolerations`",
        ]
    );
}

#[test]
fn values_to_remove_must_be_there() {
    assert_eq!(
        refused("metadata: {$deleteFromPrimitiveList/finalizers: [netloom.dev/c], $deleteFromPrimitiveList/x: [y/z]}\n"),
        [
            "1:50 patch-no-match: `metadata.finalizers` has no `netloom.dev/c` (did you mean `netloom.dev/b`?)",
            "1:94 patch-no-match: `$deleteFromPrimitiveList/x` matches nothing: the object has no list `metadata.x`",
        ]
    );
}

#[test]
fn null_for_a_field_that_cannot_be_there_is_an_error() {
    assert_eq!(
        refused("spec: {template: {spec: {dnsPolicy: null, hostNetwrk: null}}}\n"),
        [
            "1:43 patch-no-match: `null` removes nothing: there is no field `spec.template.spec.hostNetwrk` (did you mean `hostNetwork`?)"
        ]
    );
}

#[test]
fn elements_must_be_told_apart() {
    let patch = "\
spec:
  template:
    spec:
      containers:
      - image: x
      - weave
      - {name: weave, image: w}
      - {name: weave, image: z}
      - name: weave-npc
        env:
        - {name: TWICE, value: '3'}
";
    assert_eq!(
        refused(patch),
        [
            "5:9 patch-invalid: an element of `spec.template.spec.containers` needs `name`, which tells it from the others",
            "6:9 patch-invalid: an element of `spec.template.spec.containers` is a mapping with `name`, and this is a string",
            "8:9 patch-invalid: the patch has two elements `weave` of `spec.template.spec.containers`",
            "11:11 patch-invalid: `spec.template.spec.containers[name=weave-npc].env[name=TWICE]` is more than one element of the object",
        ]
    );
}

#[test]
fn directives_must_make_sense() {
    let patch = "\
metadata:
  $retainKeys: [name]
  labels: {a: b}
spec:
  $patch: remove
  template:
    spec:
      $setElementOrders/containers: [{name: weave}]
      containers:
      - name: weave
        $setElementOrder/args: [a]
        args:
        - $patch: delete
        - x
      tolerations:
      - key: a
        $patch: delete
";
    assert_eq!(
        refused(patch),
        [
            "3:3 patch-invalid: `$retainKeys` does not name `metadata.labels`, which the patch sets",
            "5:11 patch-invalid: `$patch` is `delete`, `merge` or `replace`, not `remove` \
             (the directives are `delete`, `merge`, `replace`)",
            "8:7 patch-invalid: `$setElementOrders/containers` is no directive (did you mean `$setElementOrder/FIELD`?)",
            "11:9 patch-invalid: `$setElementOrder/args` has no effect here: `spec.template.spec.containers[name=weave].args` \
             does not merge",
            "14:11 patch-invalid: `spec.template.spec.containers[name=weave].args` is deleted as a whole, so it takes no elements",
            "13:11 patch-no-match: `$patch: delete` matches nothing: the object has no `spec.template.spec.containers[name=weave].args`",
            "17:9 patch-invalid: `$patch` has no effect here: `spec.template.spec.tolerations` is replaced as a whole",
        ]
    );
}

#[test]
fn an_order_must_fit_the_patch_and_the_object() {
    let patch = "\
spec:
  template:
    spec:
      $setElementOrder/containers: [{name: weave-npc}, {name: weave}, {name: router}]
      containers: [{name: weave}, {name: weave-npc}]
";
    assert_eq!(
        refused(patch),
        [
            "4:36 patch-invalid: `$setElementOrder` of `spec.template.spec.containers` does not have `weave-npc` where the patch has it",
            "4:71 patch-no-match: `$setElementOrder` of `spec.template.spec.containers` has `router`, which is no element \
             (the elements are `weave`, `weave-npc`)",
        ]
    );
}

#[test]
fn kinds_of_values_must_agree() {
    assert_eq!(
        refused("spec: {template: {spec: {containers: {weave: {image: x}}}}}\nmetadata: 5\n"),
        [
            "1:38 patch-invalid: `spec.template.spec.containers` is a list in the object, and a mapping in the patch",
            "2:11 patch-invalid: `metadata` is a mapping in the object, and an integer in the patch",
        ]
    );
    assert_eq!(refused("[]\n"), ["1:1 patch-invalid: a strategic merge patch is a mapping, and this is a list"]);
}

#[test]
fn a_patch_does_not_change_the_identity() {
    assert_eq!(
        refused("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: weave, namespace: null}\n"),
        [
            "2:7 patch-invalid: the patch has another `kind` than DaemonSet kube-system/weave-net, where it is `DaemonSet` \
             (leave `kind` out, and say with `target` which objects the patch is for; `$patch: delete` removes an object)",
            "3:18 patch-invalid: the patch has another `metadata.name` than DaemonSet kube-system/weave-net, where it is `weave-net` \
             (leave `metadata.name` out, and say with `target` which objects the patch is for; `$patch: delete` removes an object)",
            "3:36 patch-invalid: the patch has another `metadata.namespace` than DaemonSet kube-system/weave-net, where it is `kube-system` \
             (leave `metadata.namespace` out, and say with `target` which objects the patch is for; `$patch: delete` removes an object)",
        ]
    );
}
