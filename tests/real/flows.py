"""What has to pass between a cluster's machines, and into them: these ports, and no other.

    flows.py ROOT…

compares the tables of every cluster's README, `Flows` and `Host firewalls`; moto_stacks.py the rules of its security groups.

What is expected is computed from declarations alone, so that it can disagree with the overlays' facts. Sources of the ports:
Kubernetes' reference, "Ports and Protocols", and what each provider documents of its own. A provider joins PROVIDERS with its
overlay.
"""

import re

import declarations
from common import Report, files, output, projects, roots
from reachability import differences

CONTROL_PLANE, WORKERS, NODES = "the control plane", "workers", "every machine"
PARTS = {NODES: (CONTROL_PLANE, WORKERS)}
ENDPOINTS = {"nodes": NODES, "controlPlane": CONTROL_PLANE, "workers": WORKERS}
ANY = (0, 0)  # protocols without ports
PORTS = (1, 65535)


def flow(protocol, ports=None, sender=NODES, receiver=NODES):
    """A flow of one port, of a range (a pair, or text as declared), or of a protocol without ports."""
    if isinstance(ports, str):
        first, _, last = ports.partition("-")
        ports = int(first), int(last or first)
    if isinstance(ports, int):
        ports = ports, ports
    protocol = "58" if protocol == "icmpv6" else str(protocol)
    return protocol, ports or ANY, sender, receiver


def etcd(cluster):
    """etcd's ports, as pairs."""
    declared = cluster.get("controlPlane", {}).get("etcdPorts", ["2379-2380"])
    return [flow("tcp", ports)[1] for ports in declared]


def sixth(cluster):
    """Whether pods have IPv6 addresses."""
    return ":" in cluster.get("podCIDR", "")


def icmp(cluster):
    return flow("58" if sixth(cluster) else "icmp")


def bare(cluster, *protocols):
    """Packets of pods that nothing wraps. A group knows machines and not the pods on them, so every port of a machine is open to
    the others, less what is not for pods: etcd's ports stay closed to workers."""
    closed, start = sorted(etcd(cluster)), 1
    found = [flow("udp", PORTS), flow("tcp", PORTS, NODES, WORKERS), flow("132"), icmp(cluster)]
    for first, last in [*closed, (65536, 65536)]:
        found += [flow("tcp", (start, first - 1), NODES, CONTROL_PLANE)] if start < first else []
        start = max(start, last + 1)
    return found + [flow(protocol) for protocol in protocols]


def amazonvpc(options, cluster, aws, _):
    """Pods are in the groups of their machine, unless each ENIConfig names others."""
    configs = options.get("customNetworking", {}).get("eniConfigs", [])
    return bare(cluster, "icmp") if not configs or not all(c.get("securityGroups") for c in configs) else []


def calico(options, cluster, aws, _):
    """tigera/docs, "System requirements"; felix/docs/config-params.md."""
    mode = "Always" if options.get("crossSubnet") is False else "CrossSubnet"
    tunnel = "ipip" if not sixth(cluster) else "vxlan" if aws else "none"
    tunnel = options.get("encapsulationMode") or ("vxlan" if options.get("vxlanMode", "Never") != "Never" else tunnel)
    ipip, vxlan = (options.get(f"{name}Mode", mode if tunnel == name else "Never") for name in ("ipip", "vxlan"))
    bpf, tunnelled = options.get("bpfEnabled"), "Always" in (ipip, vxlan)
    found = [flow("4")] if ipip != "Never" else []
    found += [flow("tcp", 179)] if ipip != "Never" or vxlan == "Never" else []  # between nodes that have VXLAN there is no BGP
    found += [flow("udp", 4789)] if vxlan != "Never" or bpf else []
    found += [flow("udp", 51821 if sixth(cluster) else 51820)] if options.get("wireguardEnabled") else []
    found += bare(cluster) if aws and not tunnelled else []
    typha = options.get("typhaReplicas", cluster.get("nodes", {}).get("max", 100) > 50)
    return found + felix(options) + (typhas(options) if typha else [])


def canal(options, cluster, aws, _):
    """flannel's VXLAN, Calico's policies."""
    return [flow("udp", 8472)] + felix(options) + (typhas(options) if options.get("typhaReplicas") else [])


def felix(options):
    return [flow("tcp", options.get("prometheusMetricsPort", 9091))] if options.get("prometheusMetricsEnabled") else []


def typhas(options):
    metrics = options.get("typhaPrometheusMetricsPort", 9093) if options.get("typhaPrometheusMetricsEnabled") else None
    return [flow("tcp", port) for port in (5473, metrics) if port]


def cilium(options, cluster, aws, _):
    """cilium/cilium, Documentation/operations/system_requirements.rst."""
    tunnel = options.get("tunnel", "disabled" if options.get("ipam") == "eni" or sixth(cluster) else "vxlan")
    found = [flow("udp", {"vxlan": 8472, "geneve": 6081}[tunnel])] if tunnel != "disabled" else []
    found += bare(cluster) if tunnel == "disabled" and aws else []
    encryption = options.get("encryptionType", "ipsec") if options.get("enableEncryption") else None
    found += {"wireguard": [flow("udp", 51871)], "ipsec": [flow("50")], None: []}[encryption]
    hubble = options.get("hubble", {})
    metrics = [options.get("agentPrometheusPort", 9090), 9963, 9964] if options.get("enablePrometheusMetrics") else []
    metrics += [9965] if hubble.get("enabled") and hubble.get("metrics") else []
    metrics += [4244] if hubble.get("enabled") else []
    return [*found, flow("tcp", 4240), icmp(cluster), *(flow("tcp", port) for port in metrics)]


def flannel(options, cluster, aws, _):
    """flannel, Documentation/backends.md."""
    backend = options.get("backend", "vxlan")
    direct = backend == "host-gw" or options.get("directRouting")
    port = {"vxlan": 8472, "udp": 8285, "wireguard": 51820, "host-gw": None}[backend]
    return ([flow("udp", options.get("port", port))] if port else []) + (bare(cluster) if direct and aws else [])


def kuberouter(options, cluster, aws, _):
    """kube-router, docs/user-guide.md and pkg/options; kops's port for metrics."""
    wrapped = options.get("enableOverlay", True)
    found = [flow("tcp", 179)] if options.get("enableIBGP", True) else []
    found += [flow("udp", 5555) if options.get("overlayEncap") == "fou" else flow("4")] if wrapped else []
    found += bare(cluster) if aws and not (wrapped and options.get("overlayType") == "full") else []
    return found + [flow("tcp", port) for port in [options.get("metricsPort", 12013)] if port]


def romana(options, cluster, aws, _):
    """romana/romana, docs/kubernetes/romana-kops.yml: its etcd, its daemon, and vpcrouter's probes."""
    ports = options.get("etcd", {}).get("port", 4001), 9600
    found = [flow("tcp", port, NODES, CONTROL_PLANE) for port in ports]
    return found + (bare(cluster) if aws else [])


def weave(options, cluster, aws, manifests):
    """weaveworks/weave, site/faq.md. Whether it encrypts is read from its manifests, since an overlay may have decided it."""
    found = [flow("tcp", 6783), flow("udp", 6783), flow("udp", 6784)]
    found += [flow("50")] if "WEAVE_PASSWORD" in manifests else []
    return found + ([flow("tcp", (6781, 6782))] if options.get("metrics", {}).get("enabled", True) else [])


def declared(options, cluster, aws, _):
    """What the cluster's declaration says of a provider that netloom does not know."""
    ends = lambda port: (ENDPOINTS[port["from"]], ENDPOINTS[port["to"]])
    return [flow(port["protocol"], port.get("port"), *ends(port)) for port in options.get("ports", [])]


PROVIDERS = {
    "amazonvpc": amazonvpc,
    "calico": calico,
    "canal": canal,
    "cilium": cilium,
    "cni": declared,
    "external": declared,
    "flannel": flannel,
    "kopeio": lambda options, cluster, aws, _: [flow("udp", 4789)],  # kopeio/networking, pkg/routing/vxlan
    "kubenet": lambda options, cluster, aws, _: bare(cluster) if aws else [],
    "kuberouter": kuberouter,
    "romana": romana,
    "weave": weave,
}


def expected(cluster, network, manifests):
    """Every flow of a cluster in a network, by (from, to, protocol)."""
    ((provider, options),) = cluster["networking"].items()
    aws, access = "aws" in network, cluster.get("access", {})
    api = cluster.get("controlPlane", {}).get("apiPort", 443)
    found = [flow("tcp", 10250, CONTROL_PLANE, NODES)]
    found += [flow("tcp", ports, CONTROL_PLANE, CONTROL_PLANE) for ports in etcd(cluster)]
    found += [flow("tcp", api, peer, CONTROL_PLANE) for peer in [NODES, *ranges(network), *access.get("api", [])]]
    found += [flow("tcp", 22, peer) for peer in access.get("ssh", [])]
    found += [flow(p, (30000, 32767), peer, WORKERS) for peer in access.get("nodePorts", []) for p in ("tcp", "udp")]
    for one in cluster.get("flows", []):
        found.append(flow(one["protocol"], one.get("ports"), ENDPOINTS[one["from"]], ENDPOINTS[one["to"]]))
    cache = cluster.get("dns", {}).get("nodeLocalCache")
    if cache is not None and cache.get("hostNetwork", True) and cache.get("metrics", {}).get("enabled", True):
        found.append(flow("tcp", 9253))
    return ports(found + PROVIDERS[provider](options or {}, cluster, aws, manifests))


def ranges(network):
    """The network's own ranges."""
    of = network.get("aws") or network["static"]
    return [of.get("cidr", declarations.DEFAULT_CIDR), *of.get("additionalCIDRs", [])]


def ports(flows):
    """{(from, to, protocol): ranges of ports, neighbours as one}, from machines of one kind or an address range."""
    found = {}
    for protocol, pair, sender, receiver in flows:
        for one in PARTS.get(sender, [sender]):
            for other in PARTS.get(receiver, [receiver]):
                found.setdefault((one, other, protocol), []).append(pair)
    return {key: merged(pairs) for key, pairs in found.items()}


def merged(pairs):
    found = []
    for first, last in sorted(pairs):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


ROW = re.compile(r"^\|(?P<cells>.*)\|$")
PROTOCOL = re.compile(r"(?P<ports>\d+(-\d+)?)/(?P<name>tcp|udp)|IP protocol (?P<number>\d+)( \(.*\))?|(?P<plain>icmp)")


def table(readme, title, sender, receiver):
    """The flows in the README's table of that title, whose columns of senders and receivers are given."""
    _, _, section = readme.partition(f"\n## {title}\n")
    rows = [row["cells"].split(" | ") for line in section.partition("\n## ")[0].splitlines() if (row := ROW.match(line))]
    if not rows:
        return None
    names, found = [cell.strip() for cell in rows[0]], []
    for cells in rows[2:]:
        row = dict(zip(names, (cell.strip() for cell in cells)))
        of = PROTOCOL.fullmatch(row["Protocol"])
        who = re.sub(r" \(.*\)$", "", row[sender])  # machines' addresses stand in parentheses
        found.append(flow(of["name"] or of["number"] or of["plain"], of["ports"], who, row[receiver]))
    return ports(found)


def compared(project):
    """(cluster, table, how it differs from what is expected) of every cluster's README."""
    found = declarations.read(project)
    for name, cluster in sorted(found["Cluster"].items()):
        place, network = output(project) / "clusters" / name, found["Network"][cluster["network"]]
        readme = (place / "README.md").read_text()
        wanted = expected(cluster, network, "".join(f.read_text() for f in files([place / "kubernetes"], "*.yaml")))
        yield name, "flows", differences(table(readme, "Flows", "From", "To"), wanted)
        hosts = table(readme, "Host firewalls", "Accept from", "On")
        yield name, "host firewalls", differences(hosts, None if "aws" in network else wanted)


def main():
    report = Report()
    for project in projects(roots()):
        for name, what, problems in compared(project):
            report.check(f"{project.name}: {name}: {what}", problems)
    report.close()


if __name__ == "__main__":
    main()
