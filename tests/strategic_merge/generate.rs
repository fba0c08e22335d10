//! Generated resources and patches: the same ones in every run.

use serde_json::{Map, Value, json};

/// A small generator of numbers (xorshift64*); its seed alone decides what comes.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap_or_default() % limit
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// What a field holds, as far as merging is concerned.
enum Shape {
    Text,
    Number,
    Flag,
    /// A mapping from any keys to text.
    Labels,
    /// Scalars that merge as a set.
    Set,
    /// Elements that merge by a key.
    Keyed(&'static str, Fields),
    /// Elements that merge by a key and another part, which either all elements have or none.
    Composite(&'static str, (&'static str, [&'static str; 2]), Fields),
    /// Elements that are replaced together.
    List(&'static Shape),
    Object(Fields),
}

type Fields = &'static [(&'static str, Shape)];

use Shape::{Composite, Flag, Keyed, Labels, List, Number, Object, Set, Text};

const METADATA: Fields = &[("labels", Labels), ("annotations", Labels), ("finalizers", Set)];
const SELECTOR: Fields =
    &[("matchLabels", Labels), ("matchExpressions", List(&Object(&[("key", Text), ("values", List(&Text))])))];
const ENV: Fields = &[
    ("value", Text),
    (
        "valueFrom",
        Object(&[("fieldRef", Object(&[("fieldPath", Text)])), ("secretKeyRef", Object(&[("key", Text), ("name", Text)]))]),
    ),
];
const RESOURCES: Fields = &[("limits", Labels), ("requests", Labels)];
const PROBE: Fields = &[("httpGet", Object(&[("path", Text), ("port", Number)])), ("periodSeconds", Number)];
const SECURITY: Fields = &[("privileged", Flag), ("capabilities", Object(&[("add", List(&Text)), ("drop", List(&Text))]))];
const CONTAINER: Fields = &[
    ("image", Text),
    ("command", List(&Text)),
    ("args", List(&Text)),
    ("env", Keyed("name", ENV)),
    ("ports", Composite("containerPort", ("protocol", ["TCP", "UDP"]), &[("name", Text), ("hostPort", Number)])),
    ("volumeMounts", Keyed("mountPath", &[("name", Text), ("readOnly", Flag)])),
    ("resources", Object(RESOURCES)),
    ("livenessProbe", Object(PROBE)),
    ("securityContext", Object(SECURITY)),
];
const VOLUME: Fields = &[
    ("configMap", Object(&[("name", Text), ("items", List(&Object(&[("key", Text), ("path", Text)])))])),
    ("hostPath", Object(&[("path", Text), ("type", Text)])),
    ("emptyDir", Object(&[("medium", Text)])),
];
const SPREAD: Shape = Composite(
    "topologyKey",
    ("whenUnsatisfiable", ["DoNotSchedule", "ScheduleAnyway"]),
    &[("maxSkew", Number), ("labelSelector", Object(SELECTOR))],
);
const POD: Fields = &[
    ("containers", Keyed("name", CONTAINER)),
    ("initContainers", Keyed("name", CONTAINER)),
    ("volumes", Keyed("name", VOLUME)),
    ("tolerations", List(&Object(&[("key", Text), ("operator", Text), ("effect", Text)]))),
    ("nodeSelector", Labels),
    ("hostNetwork", Flag),
    ("dnsPolicy", Text),
    ("priorityClassName", Text),
    ("imagePullSecrets", Keyed("name", &[])),
    ("hostAliases", Keyed("ip", &[("hostnames", List(&Text))])),
    ("topologySpreadConstraints", SPREAD),
];
const TEMPLATE: Fields = &[("metadata", Object(METADATA)), ("spec", Object(POD))];
const ROLLING: Fields = &[("maxUnavailable", Text), ("maxSurge", Number)];
const UPDATE: Fields = &[("type", Text), ("rollingUpdate", Object(ROLLING))];
const DEPLOYMENT: Fields = &[
    ("replicas", Number),
    ("paused", Flag),
    ("strategy", Object(UPDATE)),
    ("selector", Object(SELECTOR)),
    ("template", Object(TEMPLATE)),
];
const DAEMONSET: Fields = &[
    ("minReadySeconds", Number),
    ("updateStrategy", Object(UPDATE)),
    ("selector", Object(SELECTOR)),
    ("template", Object(TEMPLATE)),
];
const SERVICE: Fields = &[
    ("type", Text),
    ("clusterIP", Text),
    ("selector", Labels),
    ("externalIPs", List(&Text)),
    ("ports", Composite("port", ("protocol", ["TCP", "UDP"]), &[("name", Text), ("targetPort", Number)])),
];
const PEER: Shape = Object(&[("podSelector", Object(SELECTOR)), ("namespaceSelector", Object(SELECTOR))]);
const POLICY: Fields = &[
    ("podSelector", Object(SELECTOR)),
    ("policyTypes", List(&Text)),
    ("ingress", List(&Object(&[("from", List(&PEER)), ("ports", List(&Object(&[("port", Number), ("protocol", Text)])))]))),
    ("egress", List(&Object(&[("to", List(&PEER))]))),
];
const BUDGET: Fields = &[("minAvailable", Number), ("selector", Object(SELECTOR))];
const POOL: Fields = &[
    ("cidr", Text),
    ("nodes", List(&Object(&[("name", Text), ("weight", Number)]))),
    ("status", Object(&[("ready", Flag), ("labels", Labels)])),
];

/// The kinds, with the API version and the fields of each; the last one is a custom resource, of which no schema is known.
const KINDS: [(&str, &str, Fields); 9] = [
    ("apps/v1", "Deployment", &[("metadata", Object(METADATA)), ("spec", Object(DEPLOYMENT))]),
    ("apps/v1", "DaemonSet", &[("metadata", Object(METADATA)), ("spec", Object(DAEMONSET))]),
    ("v1", "Service", &[("metadata", Object(METADATA)), ("spec", Object(SERVICE))]),
    ("v1", "ConfigMap", &[("metadata", Object(METADATA)), ("data", Labels), ("immutable", Flag)]),
    (
        "v1",
        "ServiceAccount",
        &[("secrets", Keyed("name", &[("namespace", Text)])), ("imagePullSecrets", List(&Object(&[("name", Text)])))],
    ),
    ("networking.k8s.io/v1", "NetworkPolicy", &[("metadata", Object(METADATA)), ("spec", Object(POLICY))]),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        &[("rules", List(&Object(&[("verbs", List(&Text)), ("resources", List(&Text))])))],
    ),
    ("policy/v1", "PodDisruptionBudget", &[("metadata", Object(METADATA)), ("spec", Object(BUDGET))]),
    ("net.example.com/v1", "AddressPool", &[("metadata", Object(&[("labels", Labels)])), ("spec", Object(POOL))]),
];

const WORDS: [&str; 12] = ["a", "b", "c", "web", "dns", "node-local", "", "yes", "8080", "1.5", "x: y", "two\nlines\n"];
const NAMES: [&str; 7] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];
const PORTS: [u16; 6] = [53, 80, 443, 8080, 9090, 9253];

/// A resource and a patch to it, named after their number.
pub(crate) fn pair(number: usize, random: &mut Random) -> (Value, Value) {
    let (head, fields) = head(number);
    let resource = join(&head, &object(fields, random, 70));
    let patch = match random.chance(1) {
        true => json!({"$patch": "delete"}),
        false => change_object(fields, &resource, random),
    };
    let patch = join(&head, &patch);
    (resource, patch)
}

/// A resource, named after its number.
pub(crate) fn resource(number: usize, random: &mut Random) -> Value {
    let (head, fields) = head(number);
    join(&head, &object(fields, random, 70))
}

/// The beginning of a resource, and what its kind has.
fn head(number: usize) -> (Value, Fields) {
    let (api_version, kind, fields) = &KINDS[number % KINDS.len()];
    (json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": format!("case-{number}")}}), fields)
}

/// The head of a document, and its other fields.
fn join(head: &Value, body: &Value) -> Value {
    let mut document = head.as_object().cloned().unwrap_or_default();
    for (key, value) in body.as_object().cloned().unwrap_or_default() {
        match document.get_mut(&key).and_then(Value::as_object_mut) {
            Some(metadata) => metadata.extend(value.as_object().cloned().unwrap_or_default()),
            None => _ = document.insert(key, value),
        }
    }
    document.into()
}

pub(crate) fn word(random: &mut Random) -> Value {
    (*random.pick(&WORDS)).into()
}

fn name(key: &str, random: &mut Random) -> Value {
    if key.to_lowercase().ends_with("port") { (*random.pick(&PORTS)).into() } else { (*random.pick(&NAMES)).into() }
}

/// Some of the fields of an object.
fn object(fields: Fields, random: &mut Random, percent: usize) -> Value {
    let mut map = Map::new();
    for (key, shape) in fields {
        if random.chance(percent) {
            map.insert((*key).to_owned(), generate(shape, random));
        }
    }
    map.into()
}

fn generate(shape: &Shape, random: &mut Random) -> Value {
    match shape {
        Text => word(random),
        Number => random.below(100).into(),
        Flag => random.chance(50).into(),
        Labels => {
            let count = random.below(4);
            (0..count).map(|_| ((*random.pick(&NAMES)).to_owned(), word(random))).collect::<Map<_, _>>().into()
        }
        Set => distinct(random.below(4), |random| name("", random), &[], random).into(),
        List(inner) => (0..random.below(3)).map(|_| generate(inner, random)).collect(),
        Object(fields) => object(fields, random, 55),
        Keyed(key, fields) => {
            let identity = |random: &mut Random| json!({*key: name(key, random)});
            elements(random.below(4), identity, fields, &[], random)
        }
        Composite(key, second, fields) => {
            let second = random.chance(60).then_some(*second);
            elements(random.below(4), |random| composite(key, second, random), fields, &[], random)
        }
    }
}

fn composite(key: &str, second: Option<(&str, [&str; 2])>, random: &mut Random) -> Value {
    match second {
        Some((second, values)) => json!({key: name(key, random), second: random.pick(&values)}),
        None => json!({key: name(key, random)}),
    }
}

/// At most `count` values that differ from each other and from `taken`.
fn distinct(count: usize, make: impl Fn(&mut Random) -> Value, taken: &[Value], random: &mut Random) -> Vec<Value> {
    let mut values = Vec::new();
    for _ in 0..count {
        let value = make(random);
        if !values.contains(&value) && !taken.contains(&value) {
            values.push(value);
        }
    }
    values
}

fn elements(
    count: usize,
    identity: impl Fn(&mut Random) -> Value,
    fields: Fields,
    taken: &[Value],
    random: &mut Random,
) -> Value {
    let identities = distinct(count, identity, taken, random);
    identities.iter().map(|identity| join(identity, &object(fields, random, 50))).collect()
}

/// A patch to an object.
fn change_object(fields: Fields, old: &Value, random: &mut Random) -> Value {
    let mut map = Map::new();
    for (key, shape) in fields {
        let patch = match old.get(*key) {
            _ if random.chance(45) => continue,
            _ if *key != "metadata" && random.chance(12) => Value::Null,
            Some(old) => change(shape, old, random),
            None => generate(shape, random),
        };
        map.insert((*key).to_owned(), patch);
    }
    map.into()
}

/// A patch to a value that is there; now and then with a directive for all of a mapping.
fn change(shape: &Shape, old: &Value, random: &mut Random) -> Value {
    if matches!(shape, Object(_) | Labels) && random.chance(12) {
        let directive = *random.pick(&["replace", "delete", "merge"]);
        let mut patch = if directive == "merge" { json!({}) } else { generate(shape, random) };
        patch["$patch"] = directive.into();
        return patch;
    }
    match shape {
        Object(fields) => change_object(fields, old, random),
        Labels => {
            let mut map = Map::new();
            for key in old.as_object().into_iter().flat_map(Map::keys) {
                match random.below(4) {
                    0 => _ = map.insert(key.clone(), Value::Null),
                    1 => _ = map.insert(key.clone(), word(random)),
                    _ => {}
                }
            }
            map.insert((*random.pick(&NAMES)).to_owned(), word(random));
            map.into()
        }
        Keyed(key, fields) => {
            let identity = |random: &mut Random| json!({*key: name(key, random)});
            change_elements(old, &[key], identity, fields, random)
        }
        Composite(key, second, fields) => {
            let has_second = old.as_array().is_some_and(|items| items.iter().any(|item| item.get(second.0).is_some()));
            let identity = |random: &mut Random| composite(key, has_second.then_some(*second), random);
            change_elements(old, &[key, second.0], identity, fields, random)
        }
        _ => generate(shape, random),
    }
}

/// A patch to a list that merges: some elements changed, some deleted, some new, in any order.
fn change_elements(
    old: &Value,
    keys: &[&str],
    identity: impl Fn(&mut Random) -> Value,
    fields: Fields,
    random: &mut Random,
) -> Value {
    if random.chance(5) {
        return json!([{"$patch": "delete"}]);
    }
    let old = old.as_array().cloned().unwrap_or_default();
    let identify = |element: &Value| -> Value {
        keys.iter().filter_map(|key| Some(((*key).to_owned(), element.get(key)?.clone()))).collect::<Map<_, _>>().into()
    };
    let taken: Vec<Value> = old.iter().map(identify).collect();
    let replaces = random.chance(8);
    let mut items = Vec::new();
    for (element, identity) in old.iter().zip(&taken) {
        match random.below(4) {
            0 if !replaces => items.push(join(identity, &json!({"$patch": "delete"}))),
            1 | 2 => items.push(join(identity, &change_object(fields, element, random))),
            _ => {}
        }
    }
    let new = elements(random.below(3), identity, fields, &taken, random);
    items.extend(new.as_array().cloned().unwrap_or_default());
    random.shuffle(&mut items);
    if replaces {
        items.push(json!({"$patch": "replace"}));
    }
    items.into()
}
