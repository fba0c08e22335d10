"""Reads resources back through the AWS API, each as the properties that its CloudFormation type has."""

import ast
import json
from dataclasses import dataclass


def first(items):
    (item,) = items
    return item


def vpc(aws, i, wanted):
    found = first(aws.ec2.describe_vpcs(VpcIds=[i])["Vpcs"])
    attribute = lambda name: aws.ec2.describe_vpc_attribute(VpcId=i, Attribute=name[0].lower() + name[1:])[name]["Value"]
    return found | {name: attribute(name) for name in ("EnableDnsSupport", "EnableDnsHostnames")}


def vpc_cidr_block(aws, i, wanted):
    for found in aws.ec2.describe_vpcs(VpcIds=[wanted["VpcId"]])["Vpcs"]:
        for block in found["CidrBlockAssociationSet"]:
            if block["AssociationId"] == i:
                return {"VpcId": found["VpcId"], "CidrBlock": block["CidrBlock"]}
        for block in found["Ipv6CidrBlockAssociationSet"]:
            if block["AssociationId"] == i:
                return {"VpcId": found["VpcId"], "AmazonProvidedIpv6CidrBlock": block["Ipv6Pool"] == "Amazon"}
    raise KeyError(i)


def dhcp_options(aws, i, wanted):
    found = first(aws.ec2.describe_dhcp_options(DhcpOptionsIds=[i])["DhcpOptions"])
    values = {c["Key"]: [v["Value"] for v in c["Values"]] for c in found["DhcpConfigurations"]}
    names = {"domain-name-servers": "DomainNameServers", "domain-name": "DomainName", "ntp-servers": "NtpServers"}
    read = {names[k]: v for k, v in values.items()}
    if "DomainName" in read:
        read["DomainName"] = first(read["DomainName"])
    return read | {"Tags": found.get("Tags", [])}


def dhcp_association(aws, i, wanted):
    found = first(aws.ec2.describe_vpcs(VpcIds=[wanted["VpcId"]])["Vpcs"])
    return {"VpcId": found["VpcId"], "DhcpOptionsId": found["DhcpOptionsId"]}


def internet_gateway(aws, i, wanted):
    return first(aws.ec2.describe_internet_gateways(InternetGatewayIds=[i])["InternetGateways"])


def gateway_attachment(aws, i, wanted):
    found = internet_gateway(aws, wanted["InternetGatewayId"], wanted)
    return {"InternetGatewayId": found["InternetGatewayId"], "VpcId": first(found["Attachments"])["VpcId"]}


def egress_only_gateway(aws, i, wanted):
    ids = [i]
    found = first(aws.ec2.describe_egress_only_internet_gateways(EgressOnlyInternetGatewayIds=ids)["EgressOnlyInternetGateways"])
    return {"VpcId": first(found["Attachments"])["VpcId"], "Tags": found.get("Tags", [])}


def nat_gateway(aws, i, wanted):
    found = first(aws.ec2.describe_nat_gateways(NatGatewayIds=[i])["NatGateways"])
    return found | {"AllocationId": first(found["NatGatewayAddresses"]).get("AllocationId")}


def elastic_address(aws, i, wanted):
    found = first(aws.ec2.describe_addresses(PublicIps=[i])["Addresses"])
    return found | {"Address": found["PublicIp"]}


def table(aws, i):
    return first(aws.ec2.describe_route_tables(RouteTableIds=[i])["RouteTables"])


def route_table(aws, i, wanted):
    return table(aws, i)


def route(aws, i, wanted):
    names = {"DestinationCidrBlock": "DestinationCidrBlock", "DestinationIpv6CidrBlock": "DestinationIpv6CidrBlock"}
    names |= {"DestinationPrefixListId": "DestinationPrefixListId"}
    key = next(k for k in names if k in wanted)
    found = table(aws, wanted["RouteTableId"])
    matching = first(r for r in found["Routes"] if r.get(names[key]) == wanted[key])
    return matching | {"RouteTableId": found["RouteTableId"]}


def table_association(aws, i, wanted):
    found = table(aws, wanted["RouteTableId"])
    matching = first(a for a in found["Associations"] if a.get("SubnetId") == wanted["SubnetId"])
    return {"RouteTableId": found["RouteTableId"], "SubnetId": matching["SubnetId"]}


def subnet(aws, i, wanted):
    found = first(aws.ec2.describe_subnets(SubnetIds=[i])["Subnets"])
    sixth = [a["Ipv6CidrBlock"] for a in found.get("Ipv6CidrBlockAssociationSet", [])]
    return found | ({"Ipv6CidrBlock": first(sixth)} if sixth else {})


def subnet_cidr_block(aws, i, wanted):
    return {"SubnetId": wanted["SubnetId"], "Ipv6CidrBlock": subnet(aws, wanted["SubnetId"], wanted)["Ipv6CidrBlock"]}


def vpc_endpoint(aws, i, wanted):
    found = first(aws.ec2.describe_vpc_endpoints(VpcEndpointIds=[i])["VpcEndpoints"])
    groups = [g["GroupId"] for g in found.get("Groups", [])]
    policy = {"PolicyDocument": document(found["PolicyDocument"])} if found.get("PolicyDocument") else {}
    return found | {"SecurityGroupIds": groups} | policy


def security_group(aws, i, wanted):
    found = first(aws.ec2.describe_security_groups(GroupIds=[i])["SecurityGroups"])
    return found | {"GroupDescription": found["Description"]}


def flow_log(aws, i, wanted):
    found = first(aws.ec2.describe_flow_logs(FlowLogIds=[i])["FlowLogs"])
    kind = {"vpc": "VPC", "sub": "Subnet"}[found["ResourceId"][:3]]
    return found | {"ResourceType": kind, "DeliverLogsPermissionArn": found.get("DeliverLogsPermissionArn")}


def log_group(aws, i, wanted):
    found = first(g for g in aws.logs.describe_log_groups(logGroupNamePrefix=i)["logGroups"] if g["logGroupName"] == i)
    tags = aws.logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*"))["tags"]
    return {"LogGroupName": i, "RetentionInDays": found.get("retentionInDays"), "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}


def document(value):
    """A policy; moto hands those that roles are made with back as Python writes them."""
    if not isinstance(value, str):
        return value
    return ast.literal_eval(value) if value.startswith("{'") else json.loads(value)


def role(aws, i, wanted):
    found = aws.iam.get_role(RoleName=i)["Role"]
    attached = aws.iam.list_attached_role_policies(RoleName=i)["AttachedPolicies"]
    inline = [
        {"PolicyName": p, "PolicyDocument": document(aws.iam.get_role_policy(RoleName=i, PolicyName=p)["PolicyDocument"])}
        for p in aws.iam.list_role_policies(RoleName=i)["PolicyNames"]
        if p in {w["PolicyName"] for w in wanted.get("Policies", [])}
    ]
    return found | {
        "AssumeRolePolicyDocument": document(found["AssumeRolePolicyDocument"]),
        "ManagedPolicyArns": [p["PolicyArn"] for p in attached],
        "Policies": inline,
        "PermissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "Tags": found.get("Tags", []),
    }


def role_policy(aws, i, wanted):
    read = [aws.iam.get_role_policy(RoleName=r, PolicyName=wanted["PolicyName"]) for r in wanted["Roles"]]
    documents = [document(p["PolicyDocument"]) for p in read]
    assert all(d == documents[0] for d in documents)
    return {"PolicyName": read[0]["PolicyName"], "Roles": [p["RoleName"] for p in read], "PolicyDocument": documents[0]}


def instance_profile(aws, i, wanted):
    found = aws.iam.get_instance_profile(InstanceProfileName=i)["InstanceProfile"]
    return found | {"Roles": [r["RoleName"] for r in found["Roles"]]}


READERS = {
    "AWS::EC2::DHCPOptions": dhcp_options,
    "AWS::EC2::EIP": elastic_address,
    "AWS::EC2::EgressOnlyInternetGateway": egress_only_gateway,
    "AWS::EC2::FlowLog": flow_log,
    "AWS::EC2::InternetGateway": internet_gateway,
    "AWS::EC2::NatGateway": nat_gateway,
    "AWS::EC2::Route": route,
    "AWS::EC2::RouteTable": route_table,
    "AWS::EC2::SecurityGroup": security_group,
    "AWS::EC2::Subnet": subnet,
    "AWS::EC2::SubnetCidrBlock": subnet_cidr_block,
    "AWS::EC2::SubnetRouteTableAssociation": table_association,
    "AWS::EC2::VPC": vpc,
    "AWS::EC2::VPCCidrBlock": vpc_cidr_block,
    "AWS::EC2::VPCDHCPOptionsAssociation": dhcp_association,
    "AWS::EC2::VPCEndpoint": vpc_endpoint,
    "AWS::EC2::VPCGatewayAttachment": gateway_attachment,
    "AWS::IAM::InstanceProfile": instance_profile,
    "AWS::IAM::Policy": role_policy,
    "AWS::IAM::Role": role,
    "AWS::Logs::LogGroup": log_group,
}

# Types that are security-group rules: compared as one set for each group.
RULES = {"AWS::EC2::SecurityGroupIngress": "ingress", "AWS::EC2::SecurityGroupEgress": "egress"}


def flat(value):
    """A value as one comparable text: order of lists and of keys does not count, nor do 1 and "1" differ."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {flat(v)}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(sorted(map(flat, value))) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def same(wanted, found):
    """Equal, where a nested dict may have more keys than the template wrote."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(k in found and same(v, found[k]) for k, v in wanted.items())
    return flat(wanted) == flat(found)


PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}


@dataclass(frozen=True)
class Rule:
    """A security-group rule. Ports are those of tcp and udp, and type and code of icmp; else there are none."""

    direction: str
    protocol: str
    first: int | None
    last: int | None
    peer: str
    description: str

    def is_default(self):
        return (self.direction, self.protocol) == ("egress", "-1") and self.peer in ("0.0.0.0/0", "::/0") and not self.description

    def is_wide(self):
        """Whether it opens every protocol, or every port of one."""
        ports = self.protocol in ("tcp", "udp") and (self.first, self.last) in ((0, 65535), (1, 65535), (-1, -1))
        return self.protocol == "-1" or ports

    def __str__(self):
        ports = "" if self.first is None else f" {self.first}-{self.last}"
        way = "from" if self.direction == "ingress" else "to"
        return f"{self.direction} {self.protocol}{ports} {way} {self.peer} “{self.description}”"


def rule(direction, protocol, first, last, peer, description):
    protocol = PROTOCOLS.get(str(protocol).lower(), str(protocol).lower())
    ports = (int(first), int(last)) if protocol in ("tcp", "udp", "icmp", "icmpv6") else (None, None)
    return Rule(direction, protocol, *ports, peer, description or "")


PEERS = (
    "CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId", "DestinationPrefixListId",
)  # fmt: skip
RULE_PROPERTIES = {*PEERS, "IpProtocol", "FromPort", "ToPort", "Description"}


def rules_of(declared, direction):
    """Rules as templates declare them."""
    for properties in declared:
        if unread := properties.keys() - RULE_PROPERTIES:
            raise KeyError(f"{', '.join(sorted(unread))} of a rule is not read back")
    peer = lambda p: first(p[k] for k in PEERS if k in p)
    ports = lambda p: (p.get("FromPort"), p.get("ToPort"))
    return {rule(direction, p["IpProtocol"], *ports(p), peer(p), p.get("Description")) for p in declared}


def rules_in(group):
    """Rules as EC2 describes them."""
    found = set()
    for direction, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        for permission in group[key]:
            peers = [(r["CidrIp"], r) for r in permission["IpRanges"]]
            peers += [(r["CidrIpv6"], r) for r in permission["Ipv6Ranges"]]
            peers += [(r["GroupId"], r) for r in permission["UserIdGroupPairs"]]
            peers += [(r["PrefixListId"], r) for r in permission["PrefixListIds"]]
            ports = permission.get("FromPort"), permission.get("ToPort")
            found |= {rule(direction, permission["IpProtocol"], *ports, peer, r.get("Description")) for peer, r in peers}
    return found
