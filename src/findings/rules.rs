//! Every rule that the core checks, with the text that `netloom explain CODE` prints.
//!
//! Rules about one provider stand in that provider's overlay (`assertions`), not here.

use super::Severity;

/// What a code means.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable code in kebab case.
    pub code: &'static str,
    /// Severity unless `spec.rules` of the project says otherwise.
    pub severity: Severity,
    /// General advice, added to every finding of this rule; may be empty.
    pub help: &'static str,
    /// What the rule is about and why: whole sentences.
    pub explanation: &'static str,
}

/// Declares rules and the table of all of them.
macro_rules! rules {
    ($($name:ident $severity:ident $code:literal, help: $help:literal, $explanation:literal;)*) => {
        $(
            #[doc = $explanation]
            pub const $name: Rule = Rule { code: $code, severity: Severity::$severity, help: $help, explanation: $explanation };
        )*
        /// All rules of the core, in the order of the pipeline.
        pub const ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // load
    FILE_UNREADABLE Error "file-unreadable", help: "",
        "A file of the project could not be read. netloom reads regular files below the project root only.";
    FILE_OUTSIDE Error "file-outside-project", help: "",
        "A path leaves the project: through `..`, as an absolute path, or by a symbolic link. Rendering untrusted pull requests is safe only because nothing outside the project is ever read.";
    FILE_LINK Error "file-link", help: "",
        "A symbolic link leads to a file that could not be named itself: a hidden one, `.git`, one that Git ignores, a rendered one, or, outside of the folders that netloom reads, one that Git does not track. A checkout of a pull request holds such files of others (the token in `.git/config`, an `.env`, credentials that a job has written), and what is rendered is shown.";
    FILE_IGNORED Note "file-ignored", help: "track it with `git add --force`, or change the pattern that matches it (`git check-ignore -v PATH` names it)",
        "A file in a folder of the project is one that Git ignores, so no other checkout has it. The output is a function of what is committed, so netloom does not read it.";
    FILE_ENCODING Error "file-encoding", help: "save the file as UTF-8",
        "Declarations and overlays are UTF-8 text. A byte order mark and Windows line ends are accepted.";
    LIMIT Error "limit", help: "",
        "An input is larger, deeper or longer than netloom accepts. The limits keep a hostile pull request from taking the CI machine down; `src/tree/limits.rs` lists them with reasons.";
    PROJECT_MISSING Error "project-missing", help: "run `netloom init` to make a project, or name its folder with `--project DIR`",
        "There is no `netloom.yaml` in the project folder.";
    OUTPUT_UNSAFE Error "output-unsafe", help: "choose a folder of its own, such as `rendered`",
        "The output folder is the project itself, holds its inputs, or lies outside the project. netloom deletes what it wrote earlier, so it wants a folder of its own.";
    // base of a comparison
    BASE_MISSING Error "base-missing", help: "",
        "The commit to compare with cannot be had from the Git repository. netloom reads what the clone holds, and fetches nothing.";
    BASE_BROKEN Error "base-broken", help: "",
        "One side of a comparison does not compile. What changes cannot be told then: to show the other side alone would look as if everything were deleted or new.";
    WEAKER Error "weaker", help: "",
        "A change takes back or weakens a rule of its base: a policy, its selection, binding or parameters, the level of a rule in `spec.rules`, an assertion of an overlay, an option, a fact or a file that it reads, or what gives a cluster that overlay, a flow that must not be blocked, a fact that policies find in `status`, a folder in `spec.paths`, an import that is not checked. Whether the changed text of a condition asks for less nobody can say, so every change of one counts; what only adds does not. The base's rules judge the change as well as its own, and nothing in the change can answer that: whoever runs the check accepts a weakening by `--allow-weaker CODE` on the command line, or the base changes first. A branch that is older than the base lacks what the base has gained since: merge the base into it.";
    ALLOWANCE_UNUSED Warning "allowance-unused", help: "leave it out, so that it does not let a later change through",
        "`--allow-weaker` names a code under which the base has nothing against the change.";
    CHANGE_CLASS Error "change-class", help: "",
        "A change does more to a running cluster than `--max-class` allows, or nobody knows what it does.";
    ACKNOWLEDGEMENT_SPENT Warning "acknowledgement-spent", help: "remove it, or write a new reason if it is meant for this change, too",
        "An acknowledgement lets a change through once: in the change that adds it. One that the base has already says nothing about later changes.";
    ACKNOWLEDGEMENT_UNUSED Warning "acknowledgement-unused", help: "name the change as `netloom diff` prints it in brackets, or remove the acknowledgement",
        "An acknowledgement that is new names no change that there is, so it lets nothing through. It may be misspelt, or the change is in another declaration.";
    // YAML
    YAML_SYNTAX Error "yaml-syntax", help: "",
        "The file is not YAML.";
    YAML_DUPLICATE_KEY Error "yaml-duplicate-key", help: "keep one of the two",
        "A mapping has one key twice. Readers of YAML disagree on which of the values counts; many keep the last one silently.";
    YAML_TAG Error "yaml-tag", help: "write the value without the tag",
        "YAML tags make readers build language objects; netloom reads plain data. In CloudFormation functions are written in full: `Ref: Vpc` instead of `!Ref Vpc`, `Fn::GetAtt: [Vpc, CidrBlock]` instead of `!GetAtt Vpc.CidrBlock`.";
    YAML_ALIAS Error "yaml-alias", help: "write the value out; what many clusters share belongs in an overlay",
        "Anchors and aliases are refused: a few hundred bytes of them expand to gigabytes, and a value's origin cannot be shown.";
    YAML_MERGE_KEY Error "yaml-merge-key", help: "write the keys out; what many clusters share belongs in an overlay",
        "Merge keys (`<<`) are part of YAML 1.1 only; a YAML 1.2 reader sees a key named `<<`.";
    YAML_AMBIGUOUS Error "yaml-ambiguous", help: "",
        "YAML 1.1 (kubectl, PyYAML, CloudFormation) and YAML 1.2 read this plain scalar as different values: `no` is false or text, `0644` is 420 or 644, `12:30` is 750 or text.";
    HIDDEN_CHARACTER Error "hidden-character", help: "remove the character",
        "Control and text-direction characters, and file names that are no text, make a name look like another one in a review (CVE-2021-42574).";
    // declarations
    SCHEMA Error "schema", help: "",
        "A value is not what this field takes. `netloom schema` prints the schema for editors.";
    UNKNOWN_KEY Error "unknown-key", help: "",
        "No field has this name here. Unknown keys are refused, because a misspelt option that is silently ignored is the most expensive kind of bug in configuration.";
    UNKNOWN_KIND Error "unknown-kind", help: "",
        "A document in the declarations folder is neither a `Network` nor a `Cluster` of `netloom.dev/v1alpha1`.";
    NAME_INVALID Error "name-invalid", help: "use lower-case letters, digits and `-`, at most 63, beginning and ending with a letter or digit",
        "Names become folders, stack names and labels, so they are DNS labels (RFC 1123) and no device names of Windows.";
    NAME_TAKEN Error "name-taken", help: "rename one of them",
        "Two declarations of one kind have the same name, or names that differ in case only; both would write the same folder.";
    AWS_NAME_TAKEN Error "aws-name-taken", help: "give one of them another `clusterName`",
        "Two clusters in one VPC have the same name in AWS tags (`kubernetes.io/cluster/NAME`). Their controllers and roles go by that tag: each would take the other's machines, load balancers and volumes for its own.";
    NETWORK_UNKNOWN Error "network-unknown", help: "",
        "A cluster names a network that no declaration has.";
    NETWORK_FORM Error "network-form", help: "",
        "A network is either `aws` or `static`, one of the two.";
    RULE_LEVEL Error "rule-level", help: "mend what it finds; only warnings and notes can be turned off",
        "`spec.rules` of the project gives a rule another severity. What is an error by default stays one, because output that breaks such a rule would not run.";
    // addresses
    CIDR_INVALID Error "cidr-invalid", help: "",
        "An address range is not written as ADDRESS/LENGTH, has leading zeros (some readers take them for octal), or mixes address families.";
    CIDR_HOST_BITS Error "cidr-host-bits", help: "",
        "An address range has bits set beyond its length, so it names a host, not a network.";
    CIDR_OVERLAP Error "cidr-overlap", help: "",
        "Two address ranges that must be distinct share addresses; packets to them would reach the wrong place.";
    CIDR_OUTSIDE Error "cidr-outside", help: "",
        "An address range lies outside the range that must contain it.";
    CIDR_NO_ROOM Error "cidr-no-room", help: "",
        "A range is too small for what has to fit into it. An AWS subnet is a /16 to a /28.";
    CIDR_SIZE Error "cidr-size", help: "",
        "AWS takes VPC ranges and subnets from a /16 to a /28, and IPv6 subnets from a /44 to a /64 in steps of four bits.";
    ADDRESS_INVALID Error "address-invalid", help: "",
        "Not an IP address, or one of the wrong family.";
    // networks
    ZONE_REGION Error "zone-region", help: "",
        "An availability zone is a region's name and a letter: `us-west-2a` is of `us-west-2`. A local zone has a place and a number between them: `us-west-2-lax-1a`.";
    ZONE_COUNT Error "zone-count", help: "",
        "A network has one to six zones, each named once.";
    ZONE_SLOT Error "zone-slot", help: "write `subnets` out, with one in this zone",
        "Derived subnets have fixed places by the zone's letter, a to f. Local zones have letters of their own, which would collide with those.";
    SUBNET_NAME Error "subnet-name", help: "use letters, digits and `-`, at most 63, beginning and ending with a letter or digit",
        "Names of subnets become a part of CloudFormation exports, which take letters, digits and hyphens.";
    SUBNET_DUPLICATE Error "subnet-duplicate", help: "rename one of them",
        "Two subnets of one network have the same name.";
    SUBNET_MIXED_IDS Error "subnet-mixed-ids", help: "give every subnet its `id`, or none",
        "Some subnets exist already (they have an `id`) and others do not. kops refuses the mixture, because route tables of a zone are then half somebody else's.";
    SUBNET_CIDR_MISSING Error "subnet-cidr-missing", help: "",
        "A subnet has no address range, and none can be derived for it.";
    SUBNET_TYPE Error "subnet-type", help: "",
        "A subnet's type does not go with the rest of the network: dual-stack subnets need IPv6.";
    SUBNET_ZONE Error "subnet-zone", help: "",
        "A subnet stands in a zone that the network does not list.";
    EGRESS_INVALID Error "egress-invalid", help: "",
        "Where a private subnet's traffic to the internet goes: `nat-…` an existing NAT gateway, `eipalloc-…` a new one with this address, `tgw-…` a transit gateway, `i-…` a NAT instance, `External` routes of your own.";
    EGRESS_CONFLICT Error "egress-conflict", help: "",
        "The private subnets of one zone share one route table, so they have one egress.";
    NAT_SUBNET Error "nat-subnet", help: "",
        "A NAT gateway stands in the one utility (or public) subnet of its zone; there is none, or more than one.";
    ROUTE_INVALID Error "route-invalid", help: "",
        "An additional route goes to a peering connection (`pcx-`), instance (`i-`), NAT (`nat-`), transit (`tgw-`), internet (`igw-`) or egress-only (`eigw-`) gateway, from a private subnet that netloom owns; no two have the same destination, and none to a peer lies inside the VPC.";
    IPV6_UNSUPPORTED Error "ipv6-unsupported", help: "",
        "IPv6 is asked for where it cannot be had.";
    FIELD_UNUSED Error "field-unused", help: "remove it",
        "A field is written that changes nothing in this network. Options that are silently ignored mislead whoever reads them.";
    VPC_EXISTING Error "vpc-existing", help: "",
        "Subnets that exist already are in a VPC that exists already, and what such a VPC is like has to be declared: netloom asks AWS nothing.";
    INTERNET_GATEWAY Warning "internet-gateway-unknown", help: "write `internetGatewayID`",
        "Public and utility subnets that netloom adds to an existing VPC need routes to its internet gateway, whose id only AWS knows. Undeclared, it is the parameter `InternetGatewayId` of the stack, and CloudFormation Git sync has no value for it.";
    ENDPOINT_INVALID Error "endpoint-invalid", help: "",
        "A gateway endpoint is a route in the tables that netloom makes; an interface endpoint is an IPv4 address in a subnet.";
    TAG_INVALID Error "tag-invalid", help: "",
        "AWS keeps tags that begin with `aws:` to itself and takes keys of 128 and values of 256 characters; `Name` and the role tags of subnets are netloom's.";
    MTU_INVALID Error "mtu-invalid", help: "",
        "A maximum transmission unit is between 1,280 and 9,216 bytes; AWS carries 9,001 inside a VPC.";
    SINGLE_NAT_GATEWAY Warning "single-nat-gateway", help: "`natGateways: perZone` keeps zones independent",
        "One NAT gateway serves several zones: when its zone fails, every zone loses its way out, and traffic between zones is charged.";
    // clusters
    KUBERNETES_VERSION Error "kubernetes-version", help: "",
        "`kubernetesVersion` is MAJOR.MINOR or MAJOR.MINOR.PATCH, from 1.16 on.";
    KUBERNETES_SCHEMAS Note "kubernetes-schemas", help: "",
        "netloom carries the API schemas of Kubernetes 1.25 to 1.37. For other versions the nearest of them stand in, so an object may be refused or accepted wrongly.";
    PROVIDER_CHOICE Error "provider-choice", help: "write the one key, with the provider's options or `{}`",
        "`networking` has exactly one key, the network provider.";
    PROVIDER_UNKNOWN Error "provider-unknown", help: "",
        "No overlay is selected by this key under `networking` or `addons`: neither a stock one nor one of the project.";
    SUBNET_CAPACITY Error "subnet-capacity", help: "",
        "The subnets for nodes have fewer addresses than `nodes.max`: AWS keeps five of each. As a warning: fewer than full nodes would take, where pods have addresses of the subnets, too.";
    ROUTE_HIDDEN Warning "route-hidden", help: "choose another range for the cluster; addresses of a peer that nobody there uses do no harm",
        "A route of the network leads to a range (of a peered VPC, of premises behind a transit gateway) that shares addresses with the cluster's pods or services. Inside the cluster these mean the pods and services, so that nothing there can be reached.";
    NODE_CAPACITY Error "node-capacity", help: "",
        "The pod range holds fewer node ranges than `nodes.max`, or a node range fewer addresses than `nodes.maxPods`.";
    POD_IPV6 Error "pod-ipv6", help: "use an IPv4 range, or a provider whose overlay says `ipv6: true` among its facts",
        "The pod range is IPv6, and the network provider gives pods IPv4 addresses only: pods would get none.";
    ARCHITECTURE Error "architecture", help: "leave such nodes out of the cluster, or choose software that was built for them",
        "Some nodes have a processor architecture that an image which runs on every node was not built for. There its pods fail with `exec format error`, or the image is not pulled at all.";
    NODE_ROUTES Error "node-routes", help: "",
        "The network provider needs a route to each node in the network's route table, which the AWS cloud provider's route controller writes. It looks for exactly one table with the cluster's tag, which every subnet with nodes is in; takes no table that leads to an instance that is no node of the cluster, so a NAT instance or a second cluster stop it; and AWS takes 50 routes in a table unless the quota was raised.";
    NODE_ROUTES_QUOTA Warning "node-routes-quota", help: "ask AWS for a higher quota and declare it, or plan to move to a provider without routes to nodes",
        "Four fifths of the routes that AWS takes in one route table are used up. When it is full, further nodes stay without a route and their pods without a network.";
    NODE_ROUTES_TABLE Warning "node-routes-table", help: "",
        "Subnets that exist already have a route table of somebody else's. The route controller of the AWS cloud provider finds the table by the cluster's tag, which netloom cannot give to it.";
    DNS_ADDRESS Error "dns-address", help: "",
        "The cluster DNS address is a host of the service range; the kubelet hands it to every pod.";
    ACCESS_INVALID Error "access-invalid", help: "",
        "Access lists hold address ranges or AWS prefix lists (`pl-…`).";
    FLOW_INVALID Error "flow-invalid", help: "",
        "A flow's protocol is tcp, udp, icmp or an IP protocol number, its ports 1 to 65535 for tcp and udp.";
    KUBE_PROXY Error "kube-proxy", help: "",
        "Services are served by kube-proxy or by the network provider, by exactly one of them: with none no service is reachable, with both packets are translated twice.";
    ACCESS_OPEN Warning "access-open", help: "list the networks of your operators instead",
        "The API server or SSH is open to the whole internet.";
    // overlays
    OVERLAY_UNKNOWN Error "overlay-unknown", help: "",
        "No overlay has this name, neither in the project nor among the stock ones.";
    LAYER_UNUSED Warning "layer-unused", help: "compare its selector with `metadata.labels` of the declarations",
        "A layer of the project selects no cluster, so its overlay is nowhere. A label that is misspelt would take a whole environment's settings away unnoticed.";
    SELECTOR_INVALID Error "selector-invalid", help: "",
        "A condition of a selector selects everything or nothing, whatever the labels are: `In` and `NotIn` compare with `values`, `Exists` and `DoesNotExist` with nothing.";
    OVERLAY_CIRCLE Error "overlay-circle", help: "",
        "Overlays that build on each other (`uses`) go round in a circle, so that none of them can apply first; or an overlay takes away the block that selects it.";
    OPTIONS_CONFLICT Error "options-conflict", help: "give the option once: in the cluster's own list of overlays, which wins over layers, or in the overlay that both build on",
        "One overlay gets different values for an option from two places of equal standing: two layers of one cluster, two overlays that build on it, or two entries of a cluster's list. An overlay applies once, with one set of options. The nearer place wins among unequal ones: what other overlays give, then layers, then the cluster's own list, then the block of the cluster that selects it.";
    NETWORK_SHARED Warning "network-shared", help: "give the overlay to every cluster of the network or to the network itself (a layer with `networks`), or declare the value there",
        "An overlay changes the network of the clusters that it is on, or its stack, and another cluster runs in the same network without having the overlay: its network changes all the same.";
    PATCH_UNUSED Warning "patch-unused", help: "compare the selector with `metadata.labels`, or remove the patch",
        "A declaration patch selects none of the clusters that its overlay is on, or none of the networks that these run in, so it changes nothing.";
    OVERLAY_SLOT Error "overlay-slot", help: "leave one of them out",
        "Two overlays of one slot are on one cluster; a slot holds one.";
    OVERLAY_KUBERNETES Error "overlay-kubernetes", help: "",
        "The overlay does not run on this version of Kubernetes.";
    KUBERNETES_RANGE Error "kubernetes-range", help: "",
        "A range of Kubernetes versions has one or two terms, each an operator (`>=`, `>`, `<=`, `<` or `=`) and MAJOR.MINOR or MAJOR.MINOR.PATCH, and some version meets both. A range that is read as another one, or that nothing is in, would let an overlay through where it does not run, or keep it from where it does.";
    OVERLAY_NAME Error "overlay-name", help: "",
        "An overlay is named as its folder below the project's overlays, so that whoever reads a name finds the files.";
    OVERLAY_FILE Error "overlay-file", help: "",
        "An overlay names a file that is not in its folder.";
    OVERLAY_UNUSED_FILE Warning "overlay-unused-file", help: "name it under `resources` or `patches` of its overlay.yaml, or delete it",
        "A manifest, patch or template in an overlay's folder is named by nothing, so it has no effect: it was forgotten, or is misspelt where it is named.";
    VENDORED Error "vendored-different", help: "",
        "A manifest from elsewhere is pinned by a BLAKE3 hash of its text, and the file is not the one that was pinned: it was replaced or edited. What an upstream project releases is reviewed once, when it is pinned; changes of one's own are patches.";
    VENDOR_TARGET Error "vendor-target", help: "",
        "`netloom vendor` pins a manifest that an overlay of the project names under `resources`.";
    CONFIG_KEY Error "config-key", help: "",
        "A file becomes an entry of a ConfigMap under a key: letters, digits, `-`, `_` and `.`, each key once.";
    OVERLAY_CLASH Warning "overlay-clash", help: "",
        "Two overlays of equal standing set one field to different values, so that the order of names in a list decides. Of equal standing are overlays in one cluster's list, layers with the same selector, overlays that blocks select, and overlays that one overlay builds on, unless one of them builds on the other.";
    OVERLAY_UNUSED Warning "overlay-unused", help: "name it in a layer, in a cluster's `overlays` or in another overlay's `uses`, or delete it",
        "No cluster has an overlay of the project, so nothing of it is rendered.";
    OPTION_UNUSED Warning "option-unused", help: "use it in an expression, or remove it from `options`",
        "An overlay declares an option that none of its expressions, templates and programs reads: whoever sets it changes nothing.";
    VALUE_UNUSED Warning "value-unused", help: "use it in an expression, or remove it from `values`",
        "An overlay computes a value that none of its expressions, templates and programs reads.";
    OVERLAY_LIFECYCLE Note "overlay-lifecycle", help: "",
        "What a user should know about the state of the software that an overlay installs.";
    EXPRESSION Error "expression", help: "",
        "An expression between `{{` and `}}` cannot be compiled or evaluated.";
    JSONNET Error "jsonnet", help: "",
        "A Jsonnet program failed, or took more memory or time than it may.";
    PATCH_NO_MATCH Error "patch-no-match", help: "",
        "A patch matches no object, or no element of a list. A patch that silently does nothing is the bug that is found last.";
    PATCH_COUNT Error "patch-count", help: "make the target narrower, or mend the number",
        "A patch matches another number of objects than its `expect` or `atLeast` says. Without either it has to match one at least; each document of a patch file is counted by itself.";
    PATCH_INVALID Error "patch-invalid", help: "",
        "A patch is no strategic merge patch or JSON 6902 patch, or cannot be applied to this object. Through patches an object keeps its `apiVersion`, `kind` and `metadata.name`, and a resource of a template its `Type`: `$patch: delete`, or `null` from a program, removes one, and `resources` adds another one.";
    OBJECT_IDENTITY Error "object-identity", help: "",
        "A Kubernetes object has `apiVersion`, `kind` and `metadata.name` of the form that the API server takes, and no two objects of one cluster share them.";
    OBJECT_SCHEMA Error "object-schema", help: "",
        "A Kubernetes object is not valid for the cluster's version of Kubernetes, or a custom resource for the CustomResourceDefinition that is rendered with it. The API server drops fields that such a definition does not name without a word, so here they are errors.";
    RESOURCE_REQUEST Error "resource-request", help: "raise the limit, or ask for less",
        "A container requests more of a resource than its limit allows. The API server refuses such a pod, so a DaemonSet would be accepted and never have one.";
    OBJECT_KUSTOMIZE Error "object-kustomize", help: "write the objects one by one, and leave to overlays what is applied and under which name",
        "kustomize, with which Flux and Argo CD build what they apply, would apply something else than the object that is rendered: the items of a list, whatever its kind; nothing for `config.kubernetes.io/local-config`; another name for `internal.config.kubernetes.io/needsHashSuffix`. Checks, policies and reviewers see the object that stands in the file.";
    OBJECT_SECRET Error "object-secret", help: "reference an existing Secret, an ExternalSecret, or a file of ciphertext",
        "A rendered object would carry a secret in the clear. Rendered output is committed; secrets in it are leaked.";
    GITOPS_NAME Error "gitops-name", help: "give the cluster or the component a shorter name",
        "Flux labels every object with the name of the Kustomization that applies it, CLUSTER-COMPONENT, and a label's value has at most 63 characters.";
    FLUX_SUBSTITUTION Warning "flux-substitution", help: "let the annotation be `disabled`, or set `spec.gitops.flux.substitution: false` where Flux substitutes nothing",
        "Flux replaces `${name}` in what it applies, by an empty text where nobody has defined the name. netloom marks objects that hold such text, and here an overlay says that Flux shall replace it nevertheless.";
    GITOPS_DECRYPTION Warning "gitops-decryption", help: "use a SealedSecret or an ExternalSecret, or give Argo CD a plugin that decrypts",
        "Argo CD decrypts nothing by itself: without a plugin the Secret in the cluster holds the ciphertext instead of the value.";
    // cross-checks
    FLOW_BLOCKED Error "flow-blocked", help: "",
        "A flow that the cluster needs is not admitted by the final security groups.";
    FLOW_OPENING Note "flow-opening", help: "remove the rule, or declare the flow that it is for under `flows`",
        "A rule of the final security groups admits traffic that no planned flow needs. The rules that netloom makes are exactly those that the flows need; what is beyond them came from a patch.";
    SECURITY_GROUP_RULES Warning "security-group-rules", help: "join ranges in `access`, or use a prefix list, or ask AWS for a higher quota",
        "An AWS account takes 60 inbound rules in one security group for each address family unless the quota was raised; the stack would fail half-way.";
    MTU_MISMATCH Error "mtu-mismatch", help: "",
        "The MTU in the final manifests is larger than the network's less encapsulation and encryption: large packets would vanish. As a warning: the manifests say another MTU than the plan and the runbook, or none where one is planned.";
    POLICY_FEATURE Warning "network-policy-feature", help: "",
        "A NetworkPolicy uses something that the network provider does not enforce.";
    POLICY_DNS Warning "policy-dns", help: "",
        "NetworkPolicies keep all pods of a namespace from DNS: none admits 53/udp, or what is admitted are pods while DNS is answered by a cache on the node's own network, which no pod selector means. Names then resolve for nobody, and programs fail with time-outs that say little.";
    SERVICE_ADDRESS Error "service-address", help: "leave `clusterIP` out, or choose a free address of the service range",
        "A Service in the final objects asks for an address that it cannot have: outside of the service range, reserved, another service's, or not the one by which kubelets tell pods to ask the DNS service. The API server would refuse it, or traffic would go elsewhere.";
    DNS_KUBELET Note "dns-kubelet", help: "",
        "What the kubelets' `clusterDNS` must be for the cluster's DNS cache to be used.";
    // policies
    POLICY_INVALID Error "policy-invalid", help: "",
        "A file among the policies is not what the API server of Kubernetes would take as a `ValidatingAdmissionPolicy`, a binding of one, or parameters of one.";
    POLICY_EXPRESSION Error "policy-expression", help: "",
        "An expression of a policy is not CEL, or asks for something that is not there: a variable, a function, or what only a running API server knows. A policy that cannot be evaluated is an error, never a pass.";
    POLICY_EVALUATION Error "policy-evaluation", help: "",
        "An expression of a policy has no value on an object: a field is missing, types do not go together, or it costs more than it may. With `failurePolicy: Ignore` this is a warning, since nothing that was not evaluated passes without a word.";
    POLICY_UNKNOWN Error "policy-unknown", help: "",
        "A project, a binding or a test names a policy that there is not.";
    POLICY_IDLE Warning "policy-idle", help: "name it in `spec.policies` of netloom.yaml, or write a `ValidatingAdmissionPolicyBinding` for it",
        "A policy of the project is bound to nothing, so it is not evaluated.";
    POLICY_CLUSTER Error "policy-cluster", help: "",
        "A policy that the cluster shall enforce is about things that a cluster does not have, or needs a newer Kubernetes: `ValidatingAdmissionPolicy` is there since 1.30.";
    POLICY_TEST Error "policy-test", help: "",
        "A policy says something else of a case than the case expects.";
    // CloudFormation
    TEMPLATE_FORM Error "template-form", help: "",
        "A template, or what an overlay adds to one, does not have the form that CloudFormation takes: sections, logical ids of letters and digits, resources with a type, functions that stand alone in their mapping. Templates of netloom's have no `Conditions` and no `Mappings`: overlays have `when`, `values` and expressions, and what a stack does not have is not in its template.";
    TEMPLATE_TAKEN Error "template-taken", help: "to change what is there, write a patch; otherwise choose another logical id",
        "What an overlay adds under `resources` is new. A logical id that the template has already would replace something silently.";
    TEMPLATE_REFERENCE Error "template-reference", help: "",
        "A `Ref`, `Fn::GetAtt`, `Fn::Sub` or `DependsOn` in a final template names something that the template does not have, or an attribute that the type does not give. CloudFormation would refuse the template when it is applied.";
    TEMPLATE_IMPORT Error "template-import", help: "name an export of a network or cluster of the project, or list what other stacks export under `spec.imports` of netloom.yaml",
        "`Fn::ImportValue` in a final template names an export that no stack of the project has, and that is not listed among the foreign ones. CloudFormation would refuse the template when it is applied.";
    TEMPLATE_INJECTION Error "template-injection", help: "",
        "Text of a declaration, or an option that a declaration or a layer gives, would be a program in a template: `{{resolve:ssm:NAME}}` or `{{resolve:secretsmanager:NAME}}`, in the place of which CloudFormation puts a stored value, `${NAME}` in `Fn::Sub`, or a function such as `Fn::GetAtt`. Whoever may write a tag could read secrets with it. What the author of an overlay writes out in a resource or a patch is the author's program, and stays.";
    CONTAINER_INJECTION Error "container-injection", help: "write `$$(NAME)` for a text that stays `$(NAME)`, or let the overlay write the variable itself",
        "Text of a declaration, or an option, gets into what a container is started with, and holds `$(NAME)`, which the kubelet replaces by a variable of the container. Whoever may write an option could have a secret printed with it. What the author of an overlay writes out is the author's program, and stays.";
    RUNBOOK_INJECTION Error "runbook-injection", help: "write the text without line breaks, backticks, `<`, and, where it becomes a part of a command, without characters of the shell",
        "Text of a declaration, or an option, would be markup or a command in the README of a cluster: a backtick ends the code that shows it, a line break begins a block of its own, and in a command a shell would obey it. Runbooks are pasted into terminals, in a hurry.";
    TEMPLATE_CIRCLE Error "template-circle", help: "take out one of the references, or make it a resource of its own, such as `AWS::EC2::SecurityGroupIngress`",
        "Resources of a template refer to each other in a circle, so that CloudFormation cannot make any of them first.";
    STACK_MISSING Error "stack-missing", help: "say `when: network.platform == 'aws'`",
        "An overlay has something for the stack of a network, or of a cluster in one, and the network is not on AWS: it has no stack.";
    STACK_DIFFERS Error "stack-differs", help: "give both the same options, or give the overlay to the network: a layer with `networks`",
        "Clusters of one network have an overlay with different options, and with these it gives different things for the network's stack, of which there is one.";
    TEMPLATE_LIMIT Error "template-limit", help: "",
        "CloudFormation takes 500 resources and 1 MB in a template, and 51,200 bytes when it is sent inline.";
    TEMPLATE_INLINE Warning "template-inline", help: "",
        "A template over 51,200 bytes has to go through S3; CloudFormation Git sync does that by itself, `aws cloudformation deploy` needs `--s3-bucket`.";
    // output
    OUTPUT_MISSING Error "output-missing", help: "run `netloom render` and commit the result",
        "A file that the declarations make is not in the output folder.";
    OUTPUT_DIFFERENT Error "output-different", help: "run `netloom render` and commit the result",
        "A rendered file differs from what the declarations make.";
    OUTPUT_EDITED Error "output-edited", help: "undo the edit, or move it into an overlay and run `netloom render`",
        "A rendered file was changed by hand: it differs from the record of what netloom wrote.";
    OUTPUT_ORPHANED Error "output-orphaned", help: "run `netloom render` and commit the result",
        "A file that netloom wrote earlier belongs to no declaration any more.";
    OUTPUT_FOREIGN Error "output-foreign", help: "move it elsewhere",
        "A file that netloom did not write stands where it has to write.";
    OUTPUT_NAME Error "output-name", help: "",
        "The name of a rendered file is made of letters, digits, `-`, `_` and inner dots, and no two in one folder differ in case only: the output must be the same on every file system.";
    OUTPUT_RECORD Error "output-record", help: "restore it from Git, or delete its folder and run `netloom render`",
        "The ownership record `.netloom.json` is not what netloom wrote, so it is not known which of the files beside it are netloom's.";
    OUTPUT_RESTORED Warning "output-restored", help: "the declarations decide what is rendered; put the change into an overlay",
        "A rendered file had been changed by hand, and `netloom render` has written it anew.";
    OUTPUT_KEPT Warning "output-kept", help: "delete it, if nobody needs it",
        "A file that netloom wrote earlier belongs to no declaration any more, but was changed by hand: it is kept, and is the user's own from now on.";
    OUTPUT_WRITE Error "output-write", help: "nothing was lost; mend the cause and run `netloom render` again",
        "The output could not be written.";
    OUTPUT_INTERRUPTED Error "output-interrupted", help: "run `netloom render`, which finishes it",
        "An earlier render was stopped in the middle.";
    OUTPUT_UNRENDERED Error "output-unrendered", help: "",
        "Something in the output folder is nothing that the declarations make, and Flux, Argo CD, kustomize or CloudFormation may read it all the same: a manifest, a second kustomization file, a link, a file that steers them, or a submodule, which is an empty folder in a clone and a folder of files for whoever fetches it. A review that reads what is rendered would not see what is applied. `render` leaves it alone.";
    OUTPUT_UNRELATED Warning "output-unrelated", help: "",
        "A file in the output folder is nothing that the declarations make. Nothing that syncs the folder reads it, as far as its name tells; it may be left over from a merge.";
    OUTPUT_PARTIAL Error "output-partial", help: "mend the cause and run `netloom render` again, which finishes it",
        "The file system failed between two steps of a render, and what had been done could not be taken back. The finding says of each unit whether it is as before, as rendered, or between the two.";
    OUTPUT_PLANTED Error "output-planted", help: "delete it; a render that was killed leaves a folder with a mark that no commit can carry",
        "Something in the output has the name of netloom's staging folder, but not its mark. A commit can bring such a folder, and a render that took it for its own would move its files about; netloom touches nothing in it.";
    OUTPUT_ATTRIBUTES Error "output-attributes", help: "",
        "A line of a `.gitattributes` makes Git check a rendered file out as another text than the one that is committed: by `filter`, `ident` or `working-tree-encoding`. `check` reads the checkout, and Flux and Argo CD read what is committed, so one of them would see what nobody has reviewed.";
    // command line
    CLUSTER_UNKNOWN Error "cluster-unknown", help: "",
        "`--cluster` names a cluster that no declaration has.";
    FORMAT_UNSUPPORTED Error "format-unsupported", help: "",
        "A comment on a pull request is what `netloom diff` makes of changes; SARIF and JUnit are forms of findings, which it has none of.";
    CODE_UNKNOWN Error "code-unknown", help: "`netloom explain --list` prints every code",
        "`netloom explain` was asked for a code that neither the core nor an overlay at hand has.";
    EXPLAIN_FILE Error "explain-file", help: "",
        "`netloom explain` was asked about a file that the project neither holds nor is rendered to.";
    EXPLAIN_FIELD Error "explain-field", help: "",
        "`netloom explain` was asked about a field or a line that the file does not have. Fields are named as in `spec.containers[name=main].image`, items of lists also by their index, and keys with dots in brackets.";
    EXPLAIN_OUTSIDE Error "explain-outside", help: "",
        "`netloom explain` knows the files below the output folder, and the lines of `netloom.yaml`, of declarations and of overlays.";
    EXPLAIN_STALE Warning "explain-stale", help: "run `netloom render`",
        "What is explained is what the declarations make now. The file on the disk is another one, so its lines and values may differ.";
    FILE_UNWRITABLE Error "file-unwritable", help: "",
        "A file that `init`, `import` or `schema` writes could not be written. Nothing was changed.";
    INIT_EXISTS Error "init-exists", help: "run `netloom init` in another folder, or move the files away",
        "`netloom init` overwrites nothing: with one of its files in place it writes none of them.";
    FORMAT Warning "format", help: "run `netloom fmt`",
        "The file is not in the normal form that `netloom fmt` gives to declarations and overlays.";
    FORMAT_KEPT Warning "format-kept", help: "",
        "`netloom fmt` goes line by line and reads what it made again. In its normal form the file would have said something else, so it was not changed.";
    GRAPH_CHOICE Error "graph-choice", help: "",
        "`netloom graph` draws one network, with one cluster in it or none, and cannot tell which is meant.";
    // import
    IMPORT_FORM Error "import-form", help: "",
        "The file is not what the importer reads.";
    IMPORT_CHOICE Warning "import-choice", help: "",
        "The imported file leaves something open that a declaration has to say. The importer took what the other tool does or, where that cannot be known, the safer answer, and wrote a comment beside the field.";
    IMPORT_EXISTS Error "import-exists", help: "use `--force` to replace it, or `--stdout` to look at the result",
        "The importer keeps an existing declaration.";
}

/// The rule with this code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.code == code)
}
