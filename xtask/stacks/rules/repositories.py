"""A lifecycle policy that counts images counts tagged ones: an image for several architectures has an untagged one for each.

Source: Amazon ECR User Guide, "Lifecycle policy properties" and "Creating a multi-architecture image".
"""

import json

from rules import properties


def faults(templates):
    for stack, logical, repository in properties(templates, "AWS::ECR::Repository"):
        policy = repository.get("LifecyclePolicy", {}).get("LifecyclePolicyText", '{"rules": []}')
        for rule in json.loads(policy)["rules"]:
            selection = rule["selection"]
            if selection["countType"] == "imageCountMoreThan" and selection["tagStatus"] != "tagged":
                yield f"{stack}: {logical}: rule {rule['rulePriority']} counts the images of each architecture, too"
