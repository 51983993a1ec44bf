"""The release role has the permissions that CloudFormation needs when only the version of a stack changes.

Source: the handlers in AWS's own schemas of the resource types (CloudFormation Registry), which cfn-lint contains.
"""

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from rules import listed, objects, properties, resources

# The resources of the stacks `pipeline` and `ingest` that a release replaces or updates, and the handlers that it runs.
TOUCHED = {
    "AWS::ECS::TaskDefinition": ["create", "read", "update", "delete"],
    "AWS::Lambda::Function": ["read", "update"],
}

# Actions (or all actions of a service) that are needed only with an optional property.
ONLY_WITH = {
    "ec2": "VpcConfig",
    "elasticfilesystem": "FileSystemConfigs",
    "kms": "KmsKeyArn",
    "s3files": "FileSystemConfigs",
    "lambda:AssociateRuntimeAlias": "RuntimeManagementConfig",
    "lambda:DeleteFunctionCodeSigningConfig": "CodeSigningConfigArn",
    "lambda:DeleteFunctionConcurrency": "ReservedConcurrentExecutions",
    "lambda:GetCodeSigningConfig": "CodeSigningConfigArn",
    "lambda:PassCapacityProvider": "CapacityProviderConfig",
    "lambda:PublishVersion": "PublishToLatestPublished",
    "lambda:PutFunctionCodeSigningConfig": "CodeSigningConfigArn",
    "lambda:PutFunctionConcurrency": "ReservedConcurrentExecutions",
    "lambda:PutFunctionScalingConfig": "FunctionScalingConfig",
    "lambda:PutRuntimeManagementConfig": "RuntimeManagementConfig",
}


def faults(templates):
    if "ci" not in templates:
        return
    granted = {
        action
        for _, _, role in properties({"ci": templates["ci"]}, "AWS::IAM::Role")
        for statement in objects(role.get("Policies", []))
        for action in listed(statement.get("Action", []))
    }
    for stack, logical, resource in resources(templates, *TOUCHED):
        if stack in ("pipeline", "ingest"):
            for action in sorted(needed(resource) - granted):
                yield f"ci: the release role lacks `{action}`, with which CloudFormation updates {stack}'s {logical}"


def needed(resource):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
    handlers = TOUCHED[resource["Type"]]
    actions = {action for handler in handlers for action in schema["handlers"][handler]["permissions"]}
    return {action for action in actions if is_used(action, resource["Properties"])}


def is_used(action, given):
    condition = ONLY_WITH.get(action, ONLY_WITH.get(action.split(":")[0]))
    return condition is None or condition in given
