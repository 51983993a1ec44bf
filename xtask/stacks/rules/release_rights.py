"""The release role may do what CloudFormation does with its rights when only the version of a stack changes.

Source: the handlers in AWS's own schemas of the resource types (CloudFormation Registry), which cfn-lint brings along.
"""

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from rules import listed, objects, properties, resources

# What a release replaces or updates in the stacks `pipeline` and `ingest`, and the handlers that run then.
TOUCHED = {
    "AWS::ECS::TaskDefinition": ["create", "read", "update", "delete"],
    "AWS::Lambda::Function": ["read", "update"],
}

# Asked for by a property that a template may leave out. Of a service, all of its actions.
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
