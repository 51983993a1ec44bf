"""Rules that admit packets from the internet also admit the ICMP message that a packet was too large.

Source: Amazon EC2 User Guide, "Network maximum transmission unit (MTU) for your EC2 instance", Path MTU Discovery.
"""

from rules import listed, properties, references


def faults(templates):
    yield from groups(templates)
    yield from lists(templates)


def groups(templates):
    for stack, logical, group in properties(templates, "AWS::EC2::SecurityGroup"):
        rules = listed(group.get("SecurityGroupIngress", []))
        from_outside = any("CidrIp" in rule and rule["IpProtocol"] == "tcp" for rule in rules)
        if from_outside and not any(rule["IpProtocol"] == "icmp" and rule["FromPort"] == 3 for rule in rules):
            yield f"{stack}: {logical}: it admits no ICMP type 3"


def lists(templates):
    entries = list(properties(templates, "AWS::EC2::NetworkAclEntry"))
    for stack, logical, _ in properties(templates, "AWS::EC2::NetworkAcl"):
        ours = [entry for _, _, entry in entries if logical in references(entry["NetworkAclId"]) and not entry.get("Egress")]
        serves = any(entry["Protocol"] == 6 and entry.get("PortRange") == {"From": 443, "To": 443} for entry in ours)
        if serves and not any(entry["Protocol"] == 1 and entry.get("Icmp") == {"Type": 3, "Code": 4} for entry in ours):
            yield f"{stack}: {logical}: it admits no ICMP type 3, code 4"
