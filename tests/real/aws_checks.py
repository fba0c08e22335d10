"""What EC2 holds for a stack, against the template as reachability.py reads it and against the declaration."""

from collections import Counter

import flows
import reachability
from declarations import Expected, unknown
from readback import rules_in


def observed(stack):
    """The network that EC2 holds for a stack, in reachability.py's terms."""
    ec2, standing = stack.region.ec2, stack.region.standing
    subnets = {s["SubnetId"]: s for s in ec2.describe_subnets()["Subnets"]}
    nats = {g["NatGatewayId"]: subnets[g["SubnetId"]] for g in ec2.describe_nat_gateways()["NatGateways"]}
    tables = ec2.describe_route_tables()["RouteTables"]
    table_of = {a["SubnetId"]: t for t in tables for a in t["Associations"] if "SubnetId" in a}
    own, own_nats = stack.of("Subnet"), stack.of("NatGateway")

    gateways = ec2.describe_internet_gateways()["InternetGateways"]
    attached = {g["InternetGatewayId"]: a["VpcId"] for g in gateways for a in g["Attachments"]}

    def target(route):
        """A NAT gateway of the stack by its zone, one in an existing subnet by that, anything else by its id."""
        key = next((k for k in reachability.TARGETS if k in route), None)
        if key == "NatGatewayId" and route[key] in own_nats:
            subnet = nats[route[key]]
            return reachability.through("nat", subnet["AvailabilityZone" if subnet["SubnetId"] in own else "SubnetId"])
        if key == "GatewayId" and route[key] not in attached:
            return "a gateway that is not attached"
        return reachability.through(reachability.TARGETS[key], route[key]) if key else "nothing"

    def routes(subnet):
        found = {}
        for route in table_of.get(subnet, {}).get("Routes", []):
            destination = next((route[k] for k in reachability.DESTINATIONS[:2] if k in route), None)
            if destination and route.get("GatewayId") != "local":  # a prefix list is an endpoint's
                found[destination] = target(route)
        return found

    described = lambda i: (name_of(subnets[i]), subnets[i]["AvailabilityZone"]) if i in own else (i, None)
    table = lambda i: table_of.get(i, {}).get("RouteTableId")
    existing = [i for i in table_of if i in standing]
    listed = [(*described(i), table(i), routes(i)) for i in [*own, *existing]]
    of_network = {subnets[i]["VpcId"] for i in own} | set(stack.of("VPC"))
    vpcs = [v for v in ec2.describe_vpcs()["Vpcs"] if v["VpcId"] in of_network]
    return reachability.network(
        vpc=sorted(of_network & standing) or [b["CidrBlock"] for v in vpcs for b in v["CidrBlockAssociationSet"]],
        subnets=listed,
        nat=len(own_nats),
        eip=len(stack.of("EIP")),
        igw=bool(stack.of("InternetGateway")) or any("igw" in routes.values() for *_, routes in listed),
        assigned=any(v["Ipv6CidrBlockAssociationSet"] for v in vpcs),
    )


def check_network(report, label, stack, aws):
    seen, said = observed(stack), reachability.from_template(stack.document, stack.region.name)
    between = reachability.compare(seen, said, without=["shared"])
    report.check(f"{label}: reachability is the template's", [f"{a}: {d}" for a, ds in between.items() for d in ds])

    expected = Expected(aws)
    check = lambda what, problems: report.check(f"{label}: declared {what}", problems)
    equal = reachability.differences
    check("fields are all compared", unknown(aws))
    check("ranges of the VPC", equal(seen["vpc"], expected.vpc()))
    created = {c: z for c, z in seen["subnets"].items() if z}
    check("zones", equal(sorted(set(created.values())), sorted({s["zone"] for s in expected.subnets})))
    check("subnets lie in the VPC and apart", expected.placement(c for c in created if "/" in c))
    ways = Counter((z, seen["default"][c]) for c, z in created.items())
    check("ways out of each zone", equal(dict(ways), dict(expected.ways_out())))
    wanted = expected.addresses()
    check("subnets", equal({c: z for c, z in created.items() if "/" in c}, {c: s["zone"] for c, s in wanted.items()}))
    default = {c: expected.way_out(s) for c, s in wanted.items()}
    check("way out of each subnet", equal({c: seen["default"].get(c) for c in default}, default))
    check("additional routes", equal(by_target(seen["routes"]), expected.additional_routes()))
    check("NAT gateways", equal(seen["nat"], len(expected.nat_zones())))
    check("elastic addresses", equal(seen["eip"], expected.elastic_addresses()))
    check("existing elastic addresses", equal(existing_addresses(stack), expected.existing_addresses()))
    check("public addresses", sorted(set(expected.public_addresses().values()) - public_addresses(stack)))
    check("internet gateway", equal(seen["igw"], expected.internet_gateway()))
    check("IPv6", unlike_ipv6(stack, seen, expected))
    check("endpoints", equal(endpoints(stack), expected.endpoints()))
    check("tags", untagged(stack, expected))


def nat_addresses(stack):
    """The addresses of the stack's NAT gateways."""
    ids = stack.of("NatGateway")
    found = stack.region.ec2.describe_nat_gateways(NatGatewayIds=ids)["NatGateways"] if ids else []
    return [a for g in found for a in g["NatGatewayAddresses"]]


def existing_addresses(stack):
    """Allocations that the stack uses and does not make."""
    return sorted({a["AllocationId"] for a in nat_addresses(stack)} & stack.region.standing)


def public_addresses(stack):
    return {a["PublicIp"] for a in nat_addresses(stack)}


def by_target(routes):
    """Routes by their target's id alone, as they are declared."""
    target = lambda way: way[way.index("(") + 1 : -1] if "(" in way else way
    return {c: {d: target(way) for d, way in of.items()} for c, of in routes.items()}


def own_subnets(stack):
    """[(range or id, subnet)] of the subnets that the stack makes."""
    ids = stack.of("Subnet")
    found = stack.region.ec2.describe_subnets(SubnetIds=ids)["Subnets"] if ids else []
    return [(name_of(s), s) for s in found]


def name_of(subnet):
    """A subnet's range; an IPv6-only one's name, as reachability.py has it."""
    return subnet.get("CidrBlock") or reachability.named(subnet) or subnet["SubnetId"]


def unlike_ipv6(stack, seen, expected):
    """Subnets with a range have a way out of their kind; without IPv6, nothing has either."""
    wanted, problems, ranges = bool(expected.aws.get("ipv6")), [], Counter()
    if "vpcID" not in expected.aws and seen["ipv6"]["assigned"] != wanted:
        problems.append("no block is assigned" if wanted else "a block is assigned")
    for cidr, subnet in own_subnets(stack):
        blocks = [b["Ipv6CidrBlock"] for b in subnet["Ipv6CidrBlockAssociationSet"]]
        ranges.update(blocks)
        if bool(blocks) != expected.has_ipv6(cidr):
            problems.append(f"{cidr} has {'an' if blocks else 'no'} IPv6 range")
        way, default = seen["ipv6"].get(cidr, {}).get("::/0", reachability.NOWHERE), seen["default"][cidr]
        like = "eigw" if default.startswith(("nat", "instance")) else default  # NAT is for IPv4
        if blocks and way != like or way != reachability.NOWHERE and not wanted:
            problems.append(f"{cidr} sends ::/0 to {way}")
    return problems + [f"{n} subnets have {block}" for block, n in ranges.items() if n > 1]


def endpoints(stack):
    """{service: endpoint type}"""
    own = stack.of("VPCEndpoint")
    found = stack.region.ec2.describe_vpc_endpoints(VpcEndpointIds=own)["VpcEndpoints"] if own else []
    return {e["ServiceName"].split(".", 3)[3]: e["VpcEndpointType"] for e in found}


def untagged(stack, expected):
    """Subnets without the tags that the network declares, or without those of load balancers."""
    problems = []
    wanted = {k: str(v) for k, v in expected.aws.get("tags", {}).items()}
    for cidr, subnet in own_subnets(stack):
        tags = {t["Key"]: t["Value"] for t in subnet.get("Tags", [])}
        if missing := dict(wanted.items() - tags.items()):
            problems.append(f"{cidr} lacks {missing}")
        roles = [k for k in tags if k.startswith("kubernetes.io/role/")]
        if bool(roles) not in expected.role_tags(subnet["AvailabilityZone"]):
            problems.append(f"{cidr} has the role tags {roles}")
    return problems


def check_cluster(report, label, stack, cluster, network, manifests):
    """The cluster's security groups admit what its declaration and its provider ask for, and nothing else."""
    ids = stack.of("SecurityGroup")
    groups = stack.region.ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"] if ids else []
    machines = {g["GroupId"]: flows.WORKERS if name_tag(g).startswith("nodes.") else flows.CONTROL_PLANE for g in groups}
    admitted = []
    for group in groups:
        for rule in [r for r in rules_in(group) if r.direction == "ingress"]:
            pair = (rule.first, rule.last) if rule.protocol in ("tcp", "udp") else None
            admitted.append(flows.flow(rule.protocol, pair, machines.get(rule.peer, rule.peer), machines[group["GroupId"]]))
    wanted = flows.expected(cluster, network, manifests)
    report.check(f"{label}: ingress is what is declared", reachability.differences(flows.ports(admitted), wanted))


def name_tag(thing):
    return reachability.named(thing) or ""
