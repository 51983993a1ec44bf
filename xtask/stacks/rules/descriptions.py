"""EC2 allows few characters in the descriptions of security groups and of their rules.

Source: Amazon EC2 API Reference, CreateSecurityGroup (GroupDescription) and IpRange (Description).
"""

import re

from rules import objects, resources

ALLOWED = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")

KINDS = ["AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"]


def faults(templates):
    for stack, logical, resource in resources(templates, *KINDS):
        for part in objects(resource.get("Properties", {})):
            for key in ("Description", "GroupDescription"):
                text = part.get(key, "")
                if isinstance(text, str) and not ALLOWED.fullmatch(text):
                    yield f"{stack}: {logical}: EC2 rejects the characters or the length of `{text}`"
