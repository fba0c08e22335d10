"""Creates every rendered stack on moto's server and reads back, through the AWS API, what it made of them.

    moto_stacks.py ROOT…

For each project: network stacks first, then cluster stacks, which import from them. Each property of each
resource is read back and compared with the template; what exists is compared with the templates as a whole
(nothing more, nothing less) and with the declarations (declarations.py). moto_gaps.py says what moto leaves
out, and adds it; a type or property that is still not read back is a failure here, never a pass.
"""

import json
import logging
import os
import warnings
from collections import defaultdict
from urllib.request import Request, urlopen

os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from moto.server import ThreadedMotoServer

import creation_order
import declarations
import reachability
from aws_checks import check_cluster, check_network
from common import Report, files, projects, rendered, roots
from readback import READERS, RULES, flat, rules_in, rules_of, same
from stacks import Region, Stack

STAND_IN = "us-east-1"  # for regions that AWS does not have, such as kops's us-test-1
NOTHING = "AWS::CloudFormation::WaitConditionHandle"  # stands for a stack without resources; moto makes none, too
# Properties that moto has no field for, at all: counted and named in a note instead of compared.
BLIND = {("AWS::EC2::Subnet", "EnableDns64")}
UNREADABLE = (ClientError, KeyError, IndexError, TypeError, ValueError, StopIteration)


def check_project(report, server, project):
    declared = declarations.read(project)
    networks = {n: s["aws"] for n, s in declared["Network"].items() if "aws" in s}
    clusters = {n: s for n, s in declared["Cluster"].items() if s["network"] in networks}
    templates = lambda name: {f.parents[1].name: f for f in rendered([project], name)}
    of_networks, of_clusters = templates("network.template.yaml"), templates("cluster.template.yaml")
    matching = lambda found, wanted: reachability.differences(sorted(found), sorted(wanted))
    report.check(f"{project.name}: a template per declared network", matching(of_networks, networks))
    report.check(f"{project.name}: a template per declared cluster", matching(of_clusters, clusters))

    regions = {}
    for name in sorted(networks.keys() & of_networks.keys()):
        label, aws = f"{project.name}: network {name}", existing_region(networks[name])
        if aws["region"] not in regions:
            regions[aws["region"]] = Region(server, aws["region"])
        region = regions[aws["region"]]
        text = of_networks[name].read_text().replace(networks[name]["region"], region.name)
        text, aws = with_stand_ins(region, text, aws)
        if stack := create(report, label, region, f"network-{name}", text, of_networks[name]):
            check_network(report, label, stack, aws)
    for name in sorted(clusters.keys() & of_clusters.keys()):
        label, file, aws = f"{project.name}: cluster {name}", of_clusters[name], networks[clusters[name]["network"]]
        region = regions.get(existing_region(aws)["region"])
        text = file.read_text().replace(aws["region"], region.name) if region else ""
        if text and (stack := create(report, label, region, f"cluster-{name}", text, file)):
            network = declared["Network"][clusters[name]["network"]]
            check_cluster(report, label, stack, clusters[name], network, manifests(file.parents[1]))
    for name, region in regions.items():
        for (kind, key), count in region.blind.items():
            report.note(f"{project.name}: {name}: {count} × {key} of {kind} cannot be read back from moto")
        if not region.broken:
            check_whole(report, f"{project.name}: {name}", region)


def existing_region(aws):
    """The declaration, moved to a region that exists if its own does not."""
    aws = {"cidr": declarations.DEFAULT_CIDR} | aws
    if aws["region"] in boto3.Session().get_available_regions("ec2"):
        return aws
    return json.loads(json.dumps(aws).replace(aws["region"], STAND_IN))


def with_stand_ins(region, text, aws):
    """Template and declaration, both with the same stand-ins for existing resources."""
    together = region.stand_ins(text + "\f" + json.dumps(aws), aws)
    text, _, aws = together.partition("\f")
    return text, json.loads(aws)


def manifests(cluster):
    return "".join(f.read_text() for f in files([cluster / "kubernetes"], "*.yaml"))


def create(report, label, region, name, text, file):
    """The stack, checked; nothing when it could not be created."""
    deployment = file.with_name(file.name.replace("template", "deployment"))
    settings = yaml.safe_load(deployment.read_text()) if deployment.exists() else {}
    try:
        stack = Stack(region, name, text, settings)
    except (BotoCoreError, ClientError) as error:
        report.check(f"{label}: stack created", str(error)[:600])
        region.broken = True
        return None
    report.check(f"{label}: stack created", [] if stack.status == "CREATE_COMPLETE" else stack.status)
    report.check(f"{label}: waits for what AWS needs first", creation_order.problems(stack.resources))
    lost = [f"{k} ({r['Type']})" for k, r in stack.resources.items() if k not in stack.ids and r["Type"] != NOTHING]
    report.check(f"{label}: all of {len(stack.resources)} resources made", lost)
    found = defaultdict(list)
    for logical in filter(stack.ids.get, stack.resources):
        found[stack.resources[logical]["Type"]].append([f"{logical}: {p}" for p in unlike(stack, logical)])
    for kind, problems in sorted(found.items()):
        report.check(f"{label}: {len(problems)} × {kind} read back", [p for ps in problems for p in ps])
    return stack


def unlike(stack, logical):
    """How one resource differs from the template, property by property."""
    kind, properties = stack.resources[logical]["Type"], stack.resources[logical].get("Properties") or {}
    if kind not in READERS and kind not in RULES:
        return [f"no reader for {kind}"]
    try:
        wanted = stack.resolve(properties)
        note_rules(stack, logical, kind, wanted)
        found = wanted if kind in RULES else READERS[kind](stack.region, stack.ids[logical], wanted)
    except UNREADABLE as error:
        return [f"cannot be read back: {error!r}"]
    problems = []
    for key, value in wanted.items():
        if key in ("SecurityGroupIngress", "SecurityGroupEgress"):
            continue  # rules are compared as a whole, group by group
        if (kind, key) in BLIND:
            stack.region.blind[kind, key] += 1
        elif key not in found:
            problems.append(f"{key} is not read back")
        elif key == "Tags":
            problems += unlike_tags(value, found[key], stack.tags)
        elif not same(value, found[key]):
            problems.append(f"{key} is {flat(found[key])}, not {flat(value)}")
    return problems


def unlike_tags(wanted, found, of_stack):
    wanted = {t["Key"]: str(t["Value"]) for t in wanted}
    found = {t["Key"]: t["Value"] for t in found if not t["Key"].startswith("aws:")}
    problems = [f"tag {k} is {found.get(k)}, not {v}" for k, v in wanted.items() if found.get(k) != v]
    return problems + [f"tag {k} is not the template's" for k in found.keys() - wanted.keys() - of_stack.keys()]


def note_rules(stack, logical, kind, properties):
    """Files the rules that a resource declares under their security group."""
    rules = stack.region.rules
    if kind == "AWS::EC2::SecurityGroup":
        for direction in ("Ingress", "Egress"):
            rules[stack.ids[logical]] |= rules_of(properties.get(f"SecurityGroup{direction}", []), direction.lower())
    elif kind in RULES:
        declared = {k: v for k, v in properties.items() if k != "GroupId"}
        rules[properties["GroupId"]] |= rules_of([declared], RULES[kind])


def check_whole(report, label, region):
    """The region holds what the templates declare and nothing else; each security group has its rules."""
    ec2 = region.ec2
    main = lambda table: any(a["Main"] for a in table["Associations"])
    groups = [g for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"] != "default"]
    vpcs = {v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]}
    holds = [
        *vpcs,
        *(s["SubnetId"] for s in ec2.describe_subnets()["Subnets"] if s["VpcId"] in vpcs),
        *(t["RouteTableId"] for t in ec2.describe_route_tables()["RouteTables"] if not main(t)),
        *(g["InternetGatewayId"] for g in ec2.describe_internet_gateways()["InternetGateways"]),
        *(g["NatGatewayId"] for g in ec2.describe_nat_gateways()["NatGateways"]),
        *(a["PublicIp"] for a in ec2.describe_addresses()["Addresses"]),
        *(e["VpcEndpointId"] for e in ec2.describe_vpc_endpoints()["VpcEndpoints"]),
        *(g["GroupId"] for g in groups),
    ]
    report.check(f"{label}: nothing beyond the templates", sorted(set(holds) - region.made - region.standing))
    for group in groups:
        wanted, found = region.rules[group["GroupId"]], rules_in(group)
        if not any(r.direction == "egress" for r in wanted):
            wanted = wanted | {r for r in found if r.is_default()}  # EC2's own: everything out
        problems = [f"missing: {r}" for r in wanted - found] + [f"not declared: {r}" for r in found - wanted]
        name = next((t["Value"] for t in group["Tags"] if t["Key"] == "Name"), group["GroupName"])
        report.check(f"{label}: {len(found)} rules of {name}", problems)
        # Between machines of a cluster every port may be open where packets of pods are bare; check_cluster knows where that is.
        wide = [str(r) for r in found if r.direction == "ingress" and r.is_wide() and not r.peer.startswith("sg-")]
        report.check(f"{label}: ingress of {name} names protocols and ports", wide)


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="moto")  # what moto leaves out is a failure below
    report, chosen = Report(), projects(roots())
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    try:
        for project in chosen:
            urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # projects do not see each other
            check_project(report, url, project)
    finally:
        server.stop()
    report.close()


if __name__ == "__main__":
    main()
