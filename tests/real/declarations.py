"""What a project declares, and what that lets one expect of its networks in AWS.

The expectations are computed from declarations alone, so that they can disagree with the templates.
They know every field of a declared network: `unknown` names those that they do not, which is a failure
(a field that changes the output and is compared with nothing is how such a check goes blind).
"""

import ipaddress
import json
from collections import Counter

import yaml

import layers
from common import files, folder
from reachability import NOWHERE, through

NETWORK_FIELDS = {
    "region", "cidr", "additionalCIDRs", "vpcID", "internetGatewayID", "zones", "topology", "natGateways",
    "subnets", "ipv6", "endpoints", "tagSubnets", "tags",
}  # fmt: skip
SUBNET_FIELDS = {"name", "zone", "type", "cidr", "ipv6CIDR", "id", "egress", "publicIP", "additionalRoutes"}
DEFAULT_CIDR = "172.20.0.0/16"
PUBLIC = ("public", "utility")
PRIVATE = ("private", "dualStack")


def read(project):
    """{kind: {name: spec}} of everything that the project declares, its overlays' patches applied."""
    found = {"Network": {}, "Cluster": {}}
    for document in layers.applied(project, documents(project)):
        found[document["kind"]][document["metadata"]["name"]] = document["spec"]
    return found


def documents(project):
    """Everything below the project's declarations folder, YAML and Jsonnet."""
    declared = folder(project, "declarations", "declarations")
    found = []
    for file in files([declared], "*.yaml", "*.yml"):
        found += yaml.safe_load_all(file.read_text())
    for file in files([declared], "*.jsonnet"):
        found += evaluate(project, file)
    return list(filter(None, found))


def evaluate(project, file):
    """A Jsonnet file's list of declarations."""
    import _jsonnet

    value = json.loads(_jsonnet.evaluate_file(str(file), jpathdir=[str(project)]))
    return value if isinstance(value, list) else [value]


def unknown(aws):
    """Declared fields that no expectation covers."""
    found = [f"aws.{k}" for k in aws.keys() - NETWORK_FIELDS]
    return found + [f"aws.subnets[].{k}" for s in aws.get("subnets", []) for k in s.keys() - SUBNET_FIELDS]


class Expected:
    """What EC2 shall hold for a declared AWS network."""

    def __init__(self, aws):
        self.aws = aws
        self.zones = aws["zones"]
        self.mode = aws.get("natGateways", "perZone")
        declared = aws.get("subnets") or self.derived()
        self.explicit = bool(aws.get("subnets"))
        self.subnets = [s for s in declared if "id" not in s]
        self.shared = sorted(s["id"] for s in declared if "id" in s)

    def derived(self):
        """The subnets of a network that lists none: for each zone's letter a fixed place, an eighth of the VPC's
        range for nodes (the first eighth is left out) and an eighth of the first eighth for utility subnets."""
        vpc = ipaddress.ip_network(self.aws.get("cidr", DEFAULT_CIDR))
        utility, *_ = eighths = list(vpc.subnets(3))
        private = self.aws.get("topology", "public") == "private"
        found = []
        for zone in self.zones:
            place = ord(zone[-1]) - ord("a")
            found.append({"zone": zone, "type": "private" if private else "public", "cidr": str(eighths[1 + place])})
            if private:
                found.append({"zone": zone, "type": "utility", "cidr": str(list(utility.subnets(3))[place])})
        return found

    def vpc(self):
        """The VPC's ranges, or the id of one that exists."""
        if "vpcID" in self.aws:
            return [self.aws["vpcID"]]
        return sorted([self.aws.get("cidr", DEFAULT_CIDR), *self.aws.get("additionalCIDRs", [])])

    def way_out(self, subnet):
        """Where the subnet sends 0.0.0.0/0, in reachability.py's words."""
        if subnet.get("egress") == "External":
            return NOWHERE
        return "igw" if subnet["type"] in PUBLIC else self.zone_exit(subnet["zone"], PRIVATE)

    def zone_exit(self, zone, tier):
        """The way out that a zone's subnets of a tier share: what is written for it, or else `natGateways`."""
        here = [s for s in self.subnets if s["zone"] == zone]
        written = [s["egress"] for s in here if "egress" in s]
        of_tier = [s["egress"] for s in here if "egress" in s and s["type"] in tier]
        gateways = [e for e in written if e.startswith(("nat-", "eipalloc-"))]  # serves the other tier, too
        egress = next(iter(of_tier + gateways), "")
        for prefix, kind in {"nat-": "nat", "tgw-": "tgw", "i-": "instance"}.items():
            if egress.startswith(prefix):
                return through(kind, egress)
        if egress == "External":
            return NOWHERE
        if egress or self.mode == "perZone" or any("publicIP" in s for s in here):
            return through("nat", zone)
        return through("nat", self.first_zone()) if self.mode == "single" else NOWHERE

    def first_zone(self):
        """The first zone where a subnet needs a NAT gateway and none is written."""
        needs = lambda s: s["type"] in PRIVATE or self.wants_nat64(s)
        zones = {s["zone"] for s in self.subnets if needs(s) and "egress" not in s}
        return next((z for z in self.zones if z in zones), None)

    def wants_nat64(self, subnet):
        """Public IPv6 subnets reach IPv4 destinations by a NAT gateway."""
        sixth = "ipv6CIDR" in subnet if self.explicit else self.aws.get("ipv6")
        return subnet["type"] == "public" and bool(sixth) and subnet.get("egress") != "External"

    def ways_out(self):
        """How many subnets of each zone take which way."""
        return Counter((s["zone"], self.way_out(s)) for s in self.subnets)

    def addresses(self):
        """{range: subnet}"""
        return {s["cidr"]: s for s in self.subnets if "cidr" in s}

    def additional_routes(self):
        """{range of a subnet: {destination: target id}}: a zone's routes hold for its private subnets."""
        routes = {}
        for subnet in self.subnets:
            for route in subnet.get("additionalRoutes", []):
                routes.setdefault(subnet["zone"], {})[route["cidr"]] = route["target"]
        private = [s for s in self.subnets if s["type"] in PRIVATE and s["zone"] in routes]
        return {s["cidr"]: routes[s["zone"]] for s in private if "cidr" in s}

    def nat_zones(self):
        """Zones with a NAT gateway of the network's own."""
        ways = {self.way_out(s) for s in self.subnets}
        ways |= {self.zone_exit(s["zone"], ["public"]) for s in self.subnets if self.wants_nat64(s)}
        return {z for z in self.zones if through("nat", z) in ways}

    def public_addresses(self):
        """{zone: address} that NAT gateways are asked to have."""
        return {s["zone"]: s["publicIP"] for s in self.subnets if "publicIP" in s}

    def given(self):
        """{zone: existing allocation} of the NAT gateways that are given one."""
        return {s["zone"]: s["egress"] for s in self.subnets if s.get("egress", "").startswith("eipalloc-")}

    def existing_addresses(self):
        return sorted(set(self.given().values()))

    def elastic_addresses(self):
        """One for each NAT gateway that is not given one."""
        return len(self.nat_zones() - self.given().keys())

    def internet_gateway(self):
        return any(self.way_out(s) == "igw" for s in self.subnets)

    def has_ipv6(self, cidr):
        """Whether the subnet has an IPv6 range: each has, unless they are written out without."""
        without = self.explicit and "ipv6CIDR" not in self.addresses().get(cidr, {"ipv6CIDR": "only"})
        return bool(self.aws.get("ipv6")) and not without

    def role_tags(self, zone):
        """Whether subnets of the zone may have load balancers' role tags: dual-stack ones take them from private ones."""
        both = any(s["type"] == "dualStack" and s["zone"] == zone for s in self.subnets)
        return {self.aws.get("tagSubnets", True)} | ({False} if both else set())

    def endpoints(self):
        """{service: endpoint type}"""
        wanted = [s for k, v in self.aws.get("endpoints", {}).items() if v for s in (["ecr.api", "ecr.dkr"] if k == "ecr" else [k])]
        return {s: "Gateway" if s in ("s3", "dynamodb") else "Interface" for s in wanted}

    def placement(self, cidrs):
        """What is wrong with subnets' ranges: outside the VPC's, overlapping, or not on a boundary."""
        vpc = [ipaddress.ip_network(c) for c in self.vpc() if "/" in c]
        problems, seen = [], []
        for cidr in cidrs:
            try:
                net = ipaddress.ip_network(cidr)
            except ValueError as error:
                problems.append(str(error))
                continue
            if vpc and not any(net.subnet_of(v) for v in vpc if v.version == net.version):
                problems.append(f"{cidr} is outside the VPC")
            problems += [f"{cidr} overlaps {other}" for other in seen if net.overlaps(other)]
            seen.append(net)
        return problems
