"""What a network is, seen from its subnets: which of them reach the internet, and through what.

    reachability.py OURS THEIRS [--region REGION] [--without ASPECT,…]

compares two CloudFormation templates (YAML or JSON) aspect by aspect. Names, logical ids and tags are
free to differ; addresses, zones, routes and gateways are not. A zone may be written `${AWS::Region}a`,
which the region completes. Aspects:

    vpc        CIDR blocks of the VPC, or the id of an existing one
    subnets    CIDR block and zone of each subnet that the template creates
    default    where each subnet sends 0.0.0.0/0
    routes     every other IPv4 route of each subnet
    tables     which subnets share a route table
    nat, eip   how many NAT gateways and elastic addresses are created
    igw        whether an internet gateway is created or attached
    ipv6       whether Amazon assigns an IPv6 block, and the IPv6 routes of each subnet
    shared     ids of existing subnets, wherever they are named
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from common import Report, template

ASPECTS = ["vpc", "subnets", "default", "routes", "tables", "nat", "eip", "igw", "ipv6", "shared"]
NOWHERE = "none"


def from_template(document, region="${AWS::Region}"):
    """The network that a template creates, as a dict with one entry per aspect."""
    resources = document.get("Resources") or {}
    of = lambda kind: {k: r.get("Properties") or {} for k, r in resources.items() if r["Type"] == f"AWS::EC2::{kind}"}
    subnets, nats, blocks = of("Subnet"), of("NatGateway"), of("VPCCidrBlock").values()
    cidrs = [v["CidrBlock"] for v in of("VPC").values()]
    existing = {p["VpcId"] for p in [*subnets.values(), *blocks] if isinstance(p.get("VpcId"), str)}

    def name(value):
        """A literal id as it is; a reference as the logical id it points at."""
        if isinstance(value, dict):
            (target,) = value.values()
            return target[0] if isinstance(target, list) else target
        return value

    def zone(subnet):
        written = subnet.get("AvailabilityZone")
        return written["Fn::Sub"].replace("${AWS::Region}", region) if isinstance(written, dict) else written

    def zone_of_nat(value):
        nat = nats.get(name(value))
        subnet = nat and name(nat["SubnetId"])
        return zone(subnets[subnet]) if subnet in subnets else subnet or name(value)

    def target(route):
        for key, kind in TARGETS.items():
            if key in route:
                detail = zone_of_nat(route[key]) if kind == "nat" else name(route[key])
                return through(kind, detail)
        return "nothing"

    table_of = {name(a["SubnetId"]): name(a["RouteTableId"]) for a in of("SubnetRouteTableAssociation").values()}
    routes = {}
    for route in of("Route").values():
        destination = next(str(route[k]) for k in DESTINATIONS if k in route)
        routes.setdefault(name(route["RouteTableId"]), {})[destination] = target(route)
    listed = [
        (p.get("CidrBlock") or named(p) or k, zone(p), table_of.get(k), routes.get(table_of.get(k), {}))
        for k, p in [*subnets.items(), *((s, {}) for s in table_of if s not in subnets)]
    ]
    return network(
        vpc=cidrs + [b["CidrBlock"] for b in blocks if "CidrBlock" in b] or sorted(existing),
        subnets=listed,
        nat=len(nats),
        eip=len(of("EIP")),
        igw=bool(of("InternetGateway")) or any("GatewayId" in r for r in of("Route").values()),
        assigned=any(b.get("AmazonProvidedIpv6CidrBlock") for b in blocks),
        shared=set(re.findall(r"\bsubnet-[0-9a-f]+\b", str(document))),
    )


def named(subnet):
    """The name that a subnet's tags give it."""
    return next((t["Value"] for t in subnet.get("Tags", []) if t["Key"] == "Name"), None)


# The properties that name a route's target, and what the target is.
TARGETS = {
    "GatewayId": "igw",
    "NatGatewayId": "nat",
    "EgressOnlyInternetGatewayId": "eigw",
    "TransitGatewayId": "tgw",
    "InstanceId": "instance",
    "NetworkInterfaceId": "instance",
    "VpcPeeringConnectionId": "pcx",
}
DESTINATIONS = ["DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"]


def through(kind, detail):
    """A route's target in words. Which internet gateway it is says nothing: a VPC has one at most."""
    return kind if kind in ("igw", "eigw") else f"{kind}({detail})"


def network(vpc, subnets, nat, eip, igw, assigned, shared=()):
    """The aspects, from subnets as (CIDR or id, zone, route table, {destination: target})."""
    plain = lambda routes: {d: t for d, t in routes.items() if ":" not in d and d != "0.0.0.0/0"}
    sixth = lambda routes: {d: t for d, t in routes.items() if ":" in d}
    tables = {}
    for cidr, _, table, _ in subnets:
        tables.setdefault(table or "main", []).append(cidr)
    return {
        "vpc": sorted(vpc),
        "subnets": {cidr: zone for cidr, zone, _, _ in subnets},
        "default": {cidr: routes.get("0.0.0.0/0", NOWHERE) for cidr, _, _, routes in subnets},
        "routes": {cidr: plain(routes) for cidr, _, _, routes in subnets if plain(routes)},
        "tables": sorted(sorted(group) for group in tables.values()),
        "nat": nat,
        "eip": eip,
        "igw": igw,
        "ipv6": {"assigned": assigned} | {cidr: sixth(routes) for cidr, _, _, routes in subnets if sixth(routes)},
        "shared": sorted(shared),
    }


def compare(ours, theirs, without=()):
    """{aspect: differences}, each aspect that was compared being a key."""
    return {a: differences(ours[a], theirs[a]) for a in ASPECTS if a not in without}


def differences(ours, theirs):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = sorted(ours.keys() | theirs.keys(), key=str)
        return [f"{k}: {ours.get(k)} here, {theirs.get(k)} there" for k in keys if ours.get(k) != theirs.get(k)]
    if isinstance(ours, list) and isinstance(theirs, list):
        count = lambda items: Counter(map(str, items))
        only = lambda a, b: [i for i, n in (count(a) - count(b)).items() for _ in range(n)]
        return [f"only here: {i}" for i in only(ours, theirs)] + [f"only there: {i}" for i in only(theirs, ours)]
    return [] if ours == theirs else [f"{ours} here, {theirs} there"]


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s OURS THEIRS [--region REGION] [--without ASPECT,…]")
    parser.add_argument("templates", nargs=2)
    parser.add_argument("--region", default="${AWS::Region}")
    parser.add_argument("--without", default="")
    chosen = parser.parse_args()
    without = list(filter(None, chosen.without.split(",")))
    if unknown := set(without) - set(ASPECTS):
        parser.error(f"no such aspect: {', '.join(sorted(unknown))}")
    ours, theirs = (from_template(template(Path(t).read_text()), chosen.region) for t in chosen.templates)
    report = Report()
    for aspect, found in compare(ours, theirs, without).items():
        report.check(aspect, found)
    report.close()


if __name__ == "__main__":
    main()
