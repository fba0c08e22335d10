"""What AWS would create too early. CloudFormation orders by references and DependsOn alone, and some needs are neither."""

import re
from ipaddress import ip_network


def problems(resources):
    """A line for each resource that does not wait for what it needs."""
    of = lambda kind: {k for k, r in resources.items() if r["Type"] == f"AWS::EC2::{kind}"}
    attachments, blocks = of("VPCGatewayAttachment"), of("VPCCidrBlock")
    found = []
    for name, resource in resources.items():
        earlier = before(resources, name)
        if attachments and uses_gateway(resource) and not attachments & earlier:
            found.append(f"{name} does not wait for the internet gateway's attachment")
        if name in of("Subnet"):
            needed = {b for b in blocks if lies_in(resource["Properties"], resources[b]["Properties"])}
            found += [f"{name} does not wait for {b}" for b in sorted(needed - earlier)]
    return found


def before(resources, name):
    """Everything that CloudFormation makes before a resource."""
    earlier, todo = set(), [name]
    while todo:
        resource = resources[todo.pop()]
        listed = resource.get("DependsOn", [])
        listed = {listed} if isinstance(listed, str) else set(listed)
        new = (listed | references(resource.get("Properties", {}))) & resources.keys() - earlier
        earlier |= new
        todo += new
    return earlier


def references(value):
    """Names that a value refers to by Ref, GetAtt or Sub."""
    if isinstance(value, list):
        return {n for v in value for n in references(v)}
    if isinstance(value, str):
        return {n.split(".")[0] for n in re.findall(r"\$\{([^!}]+)\}", value)}
    if not isinstance(value, dict):
        return set()
    found = {n for v in value.values() for n in references(v)}
    if "Ref" in value:
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        named = value["Fn::GetAtt"]
        found.add(named[0] if isinstance(named, list) else named.split(".")[0])
    return found


def uses_gateway(resource):
    """Public NAT gateways, elastic addresses and routes to a gateway of the template need it attached."""
    properties = resource.get("Properties", {})
    return (
        resource["Type"] == "AWS::EC2::EIP"
        or resource["Type"] == "AWS::EC2::NatGateway"
        and properties.get("ConnectivityType") != "private"
        or resource["Type"] == "AWS::EC2::Route"
        and isinstance(properties.get("GatewayId"), dict)
    )


def lies_in(subnet, block):
    """Whether a subnet takes addresses from a further range of the VPC."""
    if block.get("AmazonProvidedIpv6CidrBlock"):
        return "Ipv6CidrBlock" in subnet
    ranges = subnet.get("CidrBlock"), block.get("CidrBlock")
    if not all(isinstance(r, str) for r in ranges):
        return False
    inner, outer = (ip_network(r, strict=False) for r in ranges)
    return inner.subnet_of(outer)
