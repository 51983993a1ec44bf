"""Runs moto's server, with fixes of its CloudFormation.

- A change set of moto sees no exports of other stacks and exports nothing.
- moto recreates resources of a deleted stack when asked for the stack's outputs.

Takes the flags of moto_server. Errors of operations that moto implements are printed with a traceback.
"""

import logging
import sys
import traceback

from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.server import DomainDispatcherApplication, main

execute = CloudFormationBackend.execute_change_set
delete = Stack.delete
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
DomainDispatcherApplication.__call__ = call_and_print_errors

if __name__ == "__main__":
    logging.getLogger("werkzeug").disabled = True
    main(sys.argv[1:])
