"""moto's server, with what its change sets lack: a stack that one has made knows no exports of others, and exports nothing itself.
And a stack that is gone stays gone: asked for its outputs, moto would make anew what they name.

It takes moto_server's own flags.
"""

import sys

from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.server import main

execute = CloudFormationBackend.execute_change_set
delete = Stack.delete


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


CloudFormationBackend.execute_change_set = execute_change_set
Stack.delete = delete_for_good

if __name__ == "__main__":
    main(sys.argv[1:])
