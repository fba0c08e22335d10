"""What CloudFormation does and moto's stack engine does not, added to the engine.

moto (read and tried: 5.2.5) answers CREATE_COMPLETE to a template whose resources it does not know: it logs
a warning on the server and leaves them out. Of resources it does know it drops properties without a word.
A check on top of that would pass on templates that say nothing. So this module completes the engine, by
calls to moto's own EC2 backend, which validates them; moto_stacks.py then reads every property back and
fails on any that did not arrive. What moto 5.2.5 leaves out, of what a network may hold:

    not known at all    EC2 VPCCidrBlock, SubnetCidrBlock, DHCPOptions, VPCDHCPOptionsAssociation,
                        EgressOnlyInternetGateway, SecurityGroupEgress; Fn::Cidr; GetAtt VPC.Ipv6CidrBlocks
    VPC                 EnableDnsSupport, EnableDnsHostnames
    Subnet              everything about IPv6, MapPublicIpOnLaunch, PrivateDnsNameOptionsOnLaunch, EnableDns64
    Route               IPv6 destinations and prefix lists (it makes a route to nowhere in particular)
    SecurityGroup       SecurityGroupEgress; IPv6, prefix lists, descriptions of inline rules
    SecurityGroupIngress  CidrIpv6 and prefix lists (no rule at all), descriptions with a source group; a
                        protocol number without ports, such as "50", ends in an internal error
    SubnetRouteTableAssociation  is kept, but the route table does not know of it
    EIP, NatGateway, InternetGateway, RouteTable, VPCEndpoint   Tags
    EIP                 Address
    NatGateway          ConnectivityType
    IAM Role            ManagedPolicyArns

It also makes what exports and references name on demand, without what that depends on (DependsOn). Not added
here: moto does not miss a DependsOn that AWS needs (creation_order.py does), nor see host bits in ranges, IPv6
ranges that overlap or quotas of a VPC, and it grants everything to everyone.
"""

import ipaddress

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.ec2 import models as ec2_models
from moto.ec2.models.dhcp_options import DHCPOptionsSet
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.internet_gateways import EgressOnlyInternetGateway, InternetGateway
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.route_tables import Route, RouteTable
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupIngress
from moto.ec2.models.subnets import Subnet, SubnetRouteTableAssociation
from moto.ec2.models.vpcs import VPC, VPCEndPoint
from moto.iam import iam_backends
from moto.iam.models import Role

ADDED = []  # the engine finds its types by weak references


class Made:
    """A resource of which the engine needs no more than its id."""

    def __init__(self, physical_resource_id):
        self.physical_resource_id = physical_resource_id

    def is_created(self):
        return True


for whole in (DHCPOptionsSet, EgressOnlyInternetGateway):
    whole.is_created = lambda self: True
    whole.physical_resource_id = property(lambda self: self.id)
    whole.get_cfn_attribute = lambda self, name: self.id  # their only attribute


def backend(account, region):
    return ec2_models.ec2_backends[account][region]


def added(type_name):
    """Teaches the engine a type; the function makes one from its properties."""

    def register(make):
        class Added(CloudFormationModel):
            __module__ = "moto.ec2.models"  # moto files its models by this name
            cloudformation_name_type = staticmethod(lambda: "")
            cloudformation_type = staticmethod(lambda: type_name)

            @classmethod
            def create_from_cloudformation_json(cls, name, json, account_id, region_name, **_):
                return make(backend(account_id, region_name), json["Properties"])

        ADDED.append(Added)
        return make

    return register


def replaced(model):
    """Makes resources of a type that moto knows by the function instead."""

    def register(make):
        def create(cls, name, json, account_id, region_name, **_):
            return make(backend(account_id, region_name), json["Properties"])

        model.create_from_cloudformation_json = classmethod(create)
        return make

    return register


def completed(model, without=()):
    """Lets moto make the resource, without some properties, and the function add what moto left out."""

    def register(complete):
        original = model.create_from_cloudformation_json.__func__

        def create(cls, name, json, account_id, region_name, **more):
            properties = json.get("Properties", {})
            kept = {k: v for k, v in properties.items() if k not in without}
            made = original(cls, name, json | {"Properties": kept}, account_id, region_name, **more)
            complete(backend(account_id, region_name), made, properties)
            return made

        model.create_from_cloudformation_json = classmethod(create)
        return complete

    return register


def truth(value):
    return str(value).lower() == "true"


def add_tags(made, properties):
    made.add_tags({t["Key"]: t["Value"] for t in properties.get("Tags", [])})


@completed(VPC)
def vpc(ec2, made, properties):
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if name in properties:
            attribute = "enable_dns_support" if name.endswith("Support") else "enable_dns_hostnames"
            ec2.modify_vpc_attribute(made.id, attribute, truth(properties[name]))


@added("AWS::EC2::VPCCidrBlock")
def vpc_cidr_block(ec2, properties):
    sixth = truth(properties.get("AmazonProvidedIpv6CidrBlock", False))
    made = ec2.associate_vpc_cidr_block(properties["VpcId"], properties.get("CidrBlock"), sixth)
    if sixth:  # moto picks a /56 with host bits set, which no /64 of it would lie in
        made["cidr_block"] = str(ipaddress.ip_network(made["cidr_block"], strict=False))
    return Made(made["association_id"])


@added("AWS::EC2::DHCPOptions")
def dhcp_options(ec2, properties):
    kinds = {"DomainNameServers": "domain_name_servers", "DomainName": "domain_name", "NtpServers": "ntp_servers"}
    one = lambda value: value if isinstance(value, list) else [value]
    made = ec2.create_dhcp_options(**{kinds[k]: one(v) for k, v in properties.items() if k in kinds})
    add_tags(made, properties)
    return made


@added("AWS::EC2::VPCDHCPOptionsAssociation")
def dhcp_association(ec2, properties):
    (options,) = ec2.describe_dhcp_options([properties["DhcpOptionsId"]])
    ec2.associate_dhcp_options(options, ec2.get_vpc(properties["VpcId"]))
    return Made(f"{options.id}|{properties['VpcId']}")


@added("AWS::EC2::EgressOnlyInternetGateway")
def egress_only_gateway(ec2, properties):
    made = ec2.create_egress_only_internet_gateway(properties["VpcId"])
    add_tags(made, properties)
    return made


@replaced(Subnet)
def subnet(ec2, properties):
    made = ec2.create_subnet(
        vpc_id=properties["VpcId"],
        cidr_block=properties.get("CidrBlock"),
        ipv6_cidr_block=properties.get("Ipv6CidrBlock"),
        availability_zone=properties.get("AvailabilityZone"),
        ipv6_native=truth(properties.get("Ipv6Native", False)),
    )
    made.map_public_ip_on_launch = truth(properties.get("MapPublicIpOnLaunch", False))
    made.assign_ipv6_address_on_creation = truth(properties.get("AssignIpv6AddressOnCreation", False))
    made.private_dns_name_options_on_launch |= properties.get("PrivateDnsNameOptionsOnLaunch", {})
    add_tags(made, properties)
    return made


@added("AWS::EC2::SubnetCidrBlock")
def subnet_cidr_block(ec2, properties):
    made = ec2.associate_subnet_cidr_block(properties["SubnetId"], properties["Ipv6CidrBlock"])
    return Made(made["associationId"])


@replaced(Route)
def route(ec2, properties):
    return ec2.create_route(
        route_table_id=properties["RouteTableId"],
        destination_cidr_block=properties.get("DestinationCidrBlock"),
        destination_ipv6_cidr_block=properties.get("DestinationIpv6CidrBlock"),
        destination_prefix_list_id=properties.get("DestinationPrefixListId"),
        gateway_id=properties.get("GatewayId"),
        instance_id=properties.get("InstanceId"),
        nat_gateway_id=properties.get("NatGatewayId"),
        egress_only_igw_id=properties.get("EgressOnlyInternetGatewayId"),
        transit_gateway_id=properties.get("TransitGatewayId"),
        interface_id=properties.get("NetworkInterfaceId"),
        vpc_peering_connection_id=properties.get("VpcPeeringConnectionId"),
    )


@replaced(SubnetRouteTableAssociation)
def association(ec2, properties):
    return Made(ec2.associate_route_table(properties["RouteTableId"], subnet_id=properties["SubnetId"]))


@replaced(ElasticAddress)
def elastic_address(ec2, properties):
    made = ec2.allocate_address(properties.get("Domain", "vpc"), address=properties.get("Address"))
    add_tags(made, properties)
    return made


for tagged in (InternetGateway, RouteTable, VPCEndPoint):
    completed(tagged)(lambda ec2, made, properties: add_tags(made, properties))


@completed(NatGateway)
def nat_gateway(ec2, made, properties):
    made.connectivity_type = properties.get("ConnectivityType", "public")
    add_tags(made, properties)


@completed(SecurityGroup, without=("SecurityGroupIngress", "SecurityGroupEgress"))
def security_group(ec2, made, properties):
    for rule in properties.get("SecurityGroupIngress", []):
        admit(ec2, made.id, rule, "ingress")
    for rule in properties.get("SecurityGroupEgress", []):
        admit(ec2, made.id, rule, "egress")


@replaced(SecurityGroupIngress)
def security_group_ingress(ec2, properties):
    return Made(admit(ec2, properties["GroupId"], properties, "ingress"))


@added("AWS::EC2::SecurityGroupEgress")
def security_group_egress(ec2, properties):
    return Made(admit(ec2, properties["GroupId"], properties, "egress"))


def admit(ec2, group_id, rule, direction):
    """Adds a rule. The first egress rule of one's own takes the place of EC2's default ones."""
    (group,) = ec2.describe_security_groups(group_ids=[group_id])
    if direction == "egress" and not hasattr(group, "own_egress"):
        group.egress_rules, group.own_egress = [], True
    words = {"Description": rule["Description"]} if "Description" in rule else {}
    ranges = [{key: rule[key]} | words for key in ("CidrIp", "CidrIpv6") if key in rule]
    other = "Source" if direction == "ingress" else "Destination"
    groups = [{"GroupId": rule[f"{other}SecurityGroupId"]} | words] if f"{other}SecurityGroupId" in rule else []
    lists = [{"PrefixListId": rule[f"{other}PrefixListId"]} | words] if f"{other}PrefixListId" in rule else []
    if len(ranges + groups + lists) != 1:
        raise ValueError(f"a rule of {group_id} names {len(ranges + groups + lists)} sources instead of one")
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    ports = (rule.get("FromPort", -1), rule.get("ToPort", -1))
    made, _ = authorize(group_id, str(rule["IpProtocol"]), *ports, ranges, None, groups, lists)
    return made[0].id


@completed(Role)
def role(ec2, made, properties):
    partition = iam_backends[ec2.account_id]["aws"]
    for arn in properties.get("ManagedPolicyArns", []):
        partition.attach_role_policy(arn, made.name)


def cidr_blocks(block, count, bits):
    """Fn::Cidr: `count` ranges of `bits` host bits from the start of a block."""
    block = ipaddress.ip_network(block)
    ranges = block.subnets(new_prefix=block.max_prefixlen - int(bits))
    return [str(next(ranges)) for _ in range(int(count))]


_clean_json = parsing.clean_json
_vpc_attribute = VPC.get_cfn_attribute
_parse_and_create = parsing.parse_and_create_resource


def clean_json(json, resources):
    if isinstance(json, dict) and "Fn::Cidr" in json:
        return cidr_blocks(*(clean_json(v, resources) for v in json["Fn::Cidr"]))
    return _clean_json(json, resources)


def vpc_attribute(self, name):
    if name == "Ipv6CidrBlocks":
        return [b["cidr_block"] for b in self.get_cidr_block_association_set(ipv6=True)]
    return _vpc_attribute(self, name)


def parse_and_create(logical_id, resource, resources, *place, **named_place):
    earlier = resource.get("DependsOn", [])
    for name in [earlier] if isinstance(earlier, str) else earlier:
        resources[name]  # makes it, if it is not there yet
    return _parse_and_create(logical_id, resource, resources, *place, **named_place)


parsing.clean_json = clean_json
parsing.parse_and_create_resource = parse_and_create
VPC.get_cfn_attribute = vpc_attribute
