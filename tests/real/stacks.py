"""Templates as CloudFormation stacks on a server: created, and their references resolved."""

import re
from collections import Counter, defaultdict

import boto3

from common import template
from moto_gaps import cidr_blocks

ACCOUNT = "123456789012"  # moto's


class Region:
    """One region of the server: its API, and what the stacks there made."""

    def __init__(self, url, name):
        self.name = name
        services = ("cloudformation", "ec2", "iam", "logs")
        clients = (boto3.client(s, region_name=name, endpoint_url=url) for s in services)
        self.cloudformation, self.ec2, self.iam, self.logs = clients
        self.made = set()  # physical ids
        self.standing = set()  # ids of what stands in for existing resources
        self.rules = defaultdict(set)  # security group → the rules that templates declare for it
        self.blind = Counter()  # properties that cannot be read back
        self.broken = False  # a stack failed half way and left parts behind

    def exports(self):
        pages = self.cloudformation.get_paginator("list_exports").paginate()
        return {e["Name"]: e["Value"] for page in pages for e in page["Exports"]}

    def asked_for(self, document):
        """Parameters for what a declaration does not name: the internet gateway of an existing VPC."""
        if "InternetGatewayId" not in document.get("Parameters", {}):
            return {}
        gateways = [g["InternetGatewayId"] for g in self.ec2.describe_internet_gateways()["InternetGateways"]]
        return {"InternetGatewayId": next(g for g in gateways if g in self.standing)}

    def stand_ins(self, text, aws):
        """The text with ids of existing resources replaced by ids of resources made to stand in for them."""
        ids = [(k, i) for k in STANDING_IN for i in named(aws) if i.startswith(f"{k}-")]
        known = existing_vpc(self.ec2, aws) if ids else {}
        for kind, name in ids:
            made = known.get(name) or STANDING_IN[kind](self.ec2, known)
            text = re.sub(rf"(?<![\w-]){name}(?![\w-])", made, text)
            self.standing.add(made)
        self.standing.update(known.values())
        addresses = self.ec2.describe_addresses()["Addresses"]
        self.standing.update(a["PublicIp"] for a in addresses if a["AllocationId"] in self.standing)
        return text


def named(declared):
    """Every text of a declaration that can be an id, once."""
    if isinstance(declared, dict | list):
        values = declared.values() if isinstance(declared, dict) else declared
        return list(dict.fromkeys(i for value in values for i in named(value)))
    return [declared] if re.fullmatch(r"[a-z]+-[0-9a-z]+", str(declared)) else []


SPARE = "198.18.0.0/16"  # of the range for benchmarks: in no network's way


def existing_vpc(ec2, aws):
    """A VPC with the declared ranges and an internet gateway, by the ids that the declaration has for them."""
    vpc = ec2.create_vpc(CidrBlock=aws["cidr"])["Vpc"]["VpcId"]
    for cidr in [*aws.get("additionalCIDRs", []), SPARE]:
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=cidr)
    gateway = another_gateway(ec2, {})
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    return {aws.get("vpcID", "vpc"): vpc, aws.get("internetGatewayID", "igw"): gateway, "spare": vpc}


def another_gateway(ec2, known):
    return ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]


def existing_subnet(ec2, known):
    here = [{"Name": "vpc-id", "Values": [known["spare"]]}]
    number = len(ec2.describe_subnets(Filters=here)["Subnets"])
    subnet = ec2.create_subnet(VpcId=known["spare"], CidrBlock=f"198.18.{number}.0/24")["Subnet"]["SubnetId"]
    known[subnet] = subnet
    return subnet


def existing_nat(ec2, known):
    made = ec2.create_nat_gateway(SubnetId=existing_subnet(ec2, known), ConnectivityType="private")
    return made["NatGateway"]["NatGatewayId"]


def instance(ec2, known):
    return ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]


# How to make a resource of each kind that a declaration can name by id.
STANDING_IN = {
    "vpc": lambda ec2, known: ec2.create_vpc(CidrBlock=SPARE)["Vpc"]["VpcId"],
    "igw": another_gateway,
    "subnet": existing_subnet,
    "nat": existing_nat,
    "i": instance,
    "eipalloc": lambda ec2, known: ec2.allocate_address(Domain="vpc")["AllocationId"],
    "tgw": lambda ec2, known: ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"],
}


class Stack:
    """A template that became a stack."""

    def __init__(self, region, name, text, deployment):
        self.region, self.name = region, name
        self.document = template(text)
        self.resources = self.document["Resources"]
        given = region.asked_for(self.document) | (deployment.get("parameters") or {})
        defaults = {k: p.get("Default") for k, p in self.document.get("Parameters", {}).items()}
        self.parameters = defaults | given
        self.tags = {str(k): str(v) for k, v in (deployment.get("tags") or {}).items()}
        self.imports = region.exports()
        region.cloudformation.create_stack(
            StackName=name,
            TemplateBody=text,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": k, "ParameterValue": str(v)} for k, v in given.items()],
            Tags=[{"Key": k, "Value": v} for k, v in self.tags.items()],
        )
        self.status = region.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        made = region.cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        # a type that moto does not know comes back as a resource without any field
        self.ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in made if "LogicalResourceId" in r}
        region.made.update(self.ids.values())

    def of(self, kind):
        """Physical ids of the resources of an EC2 type."""
        return [self.ids[k] for k, r in self.resources.items() if r["Type"] == f"AWS::EC2::{kind}" and k in self.ids]

    def resolve(self, value):
        """A template value with its references replaced, independently of how moto does it."""
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((key, inner),) = value.items()
            if key == "Ref" or key.startswith("Fn::"):
                return self.intrinsic(key, inner)
        return {k: self.resolve(v) for k, v in value.items()}

    def intrinsic(self, key, inner):
        if key == "Ref":
            return (self.ids | self.parameters | self.pseudo())[inner]
        if key == "Fn::GetAtt":
            return self.attribute(*(inner if isinstance(inner, list) else inner.split(".", 1)))
        if key == "Fn::Sub":
            return self.substitute(*(inner if isinstance(inner, list) else (inner, {})))
        inner = self.resolve(inner)
        if key == "Fn::ImportValue":
            return self.imports[inner]
        if key == "Fn::Join":
            return inner[0].join(map(str, inner[1]))
        if key == "Fn::Select":
            return inner[1][int(inner[0])]
        if key == "Fn::Cidr":
            return cidr_blocks(*inner)
        raise KeyError(f"{key} is not known here")

    def pseudo(self):
        fixed = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::AccountId": ACCOUNT}
        return fixed | {"AWS::Region": self.region.name, "AWS::StackName": self.name}

    def substitute(self, text, local):
        def value(match):
            name = match[1]
            if name in local:
                return str(self.resolve(local[name]))
            return str(self.intrinsic("Fn::GetAtt" if "." in name else "Ref", name))

        return re.sub(r"\$\{([^!][^}]*)\}", value, text).replace("${!", "${")

    def attribute(self, name, attribute):
        read = ATTRIBUTES[self.resources[name]["Type"], attribute]
        return read(self.region, self.ids[name])


def vpc_of(region, i):
    return region.ec2.describe_vpcs(VpcIds=[i])["Vpcs"][0]


def address_of(region, i):
    return region.ec2.describe_addresses(PublicIps=[i])["Addresses"][0]


def log_group_of(region, i):
    (found,) = (g for g in region.logs.describe_log_groups(logGroupNamePrefix=i)["logGroups"] if g["logGroupName"] == i)
    return found


ATTRIBUTES = {
    ("AWS::EC2::EIP", "AllocationId"): lambda r, i: address_of(r, i)["AllocationId"],
    ("AWS::EC2::EgressOnlyInternetGateway", "Id"): lambda r, i: i,
    ("AWS::EC2::SecurityGroup", "GroupId"): lambda r, i: i,
    ("AWS::EC2::VPC", "VpcId"): lambda r, i: i,
    ("AWS::EC2::VPC", "CidrBlock"): lambda r, i: vpc_of(r, i)["CidrBlock"],
    ("AWS::EC2::VPC", "Ipv6CidrBlocks"): lambda r, i: [b["Ipv6CidrBlock"] for b in vpc_of(r, i)["Ipv6CidrBlockAssociationSet"]],
    ("AWS::IAM::Role", "Arn"): lambda r, i: r.iam.get_role(RoleName=i)["Role"]["Arn"],
    # CloudFormation's ends in `:*`, the log streams of the group; moto's does not.
    ("AWS::Logs::LogGroup", "Arn"): lambda r, i: log_group_of(r, i)["arn"].removesuffix(":*"),
}
