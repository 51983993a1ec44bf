"""Runs moto's server, with fixes of its CloudFormation.

- A change set of moto sees no exports of other stacks and exports nothing.
- moto recreates resources of a deleted stack when asked for the stack's outputs.
- moto keeps the policies of a template's roles as Python's text, not as JSON.
- moto creates the task definitions of a template without their roles.
- moto gives a log group's ARN without the `:*` at its end (AWS::Logs::LogGroup, return values).

Takes the flags of moto_server. Errors of operations that moto implements are printed with a traceback.
"""

import json
import logging
import sys
import traceback

from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.ecs.models import TaskDefinition
from moto.iam.models import Role
from moto.logs.models import LogGroup
from moto.server import DomainDispatcherApplication, main

execute = CloudFormationBackend.execute_change_set
delete = Stack.delete
put_policy = Role.put_policy
log_group_attribute = LogGroup.get_cfn_attribute
create_task_definition = TaskDefinition.create_from_cloudformation_json
call = DomainDispatcherApplication.__call__


def execute_change_set(self, change_set_name, stack_name=None):
    stack = self.stacks[self.describe_change_set(change_set_name).stack_id]
    stack.cross_stack_resources = stack.resource_map.cross_stack_resources = self.exports
    execute(self, change_set_name, stack_name)
    stack._parse_template()
    stack.output_map = stack._create_output_map()
    self.exports.update({export.name: export for export in stack.exports})


def delete_for_good(self):
    delete(self)
    self.output_map._output_json_map = {}


def put_policy_as_json(self, policy_name, policy_json):
    put_policy(self, policy_name, policy_json if isinstance(policy_json, str) else json.dumps(policy_json))


def create_with_roles(resource_name, cloudformation_json, account_id, region_name, **kwargs):
    definition = create_task_definition(resource_name, cloudformation_json, account_id, region_name, **kwargs)
    properties = cloudformation_json["Properties"]
    definition.task_role_arn = properties.get("TaskRoleArn")
    definition.execution_role_arn = properties["ExecutionRoleArn"]
    return definition


def log_group_attribute_for_all_streams(self, name):
    return f"{log_group_attribute(self, name)}:*"


def call_and_print_errors(self, environ, start_response):
    try:
        return call(self, environ, start_response)
    except NotImplementedError:
        raise
    except Exception:
        traceback.print_exc()
        raise


CloudFormationBackend.execute_change_set = execute_change_set
Stack.delete = delete_for_good
Role.put_policy = put_policy_as_json
LogGroup.get_cfn_attribute = log_group_attribute_for_all_streams
TaskDefinition.create_from_cloudformation_json = create_with_roles
DomainDispatcherApplication.__call__ = call_and_print_errors

if __name__ == "__main__":
    logging.getLogger("werkzeug").disabled = True
    main(sys.argv[1:])
