"""Subnets of ARM tasks are in zones that are chosen by id: Fargate has no ARM capacity in use1-az3, whatever its name in an account.

Source: Amazon ECS Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate".
"""

from rules import objects, properties


def faults(templates):
    definitions = properties(templates, "AWS::ECS::TaskDefinition")
    if not any(task.get("RuntimePlatform", {}).get("CpuArchitecture") == "ARM64" for _, _, task in definitions):
        return
    for stack, logical, subnet in properties(templates, "AWS::EC2::Subnet"):
        by_order = any("Fn::GetAZs" in part for part in objects(subnet.get("AvailabilityZone", {})))
        if by_order and "AvailabilityZoneId" not in subnet:
            yield f"{stack}: {logical}: its zone cannot be chosen by id"
