"""Tests the update of the stacks in the release workflow with a fake `aws`."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import yaml

from templates import ROOT

ABSENT = "An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id covid19-{} does not exist"
DENIED = "An error occurred (AccessDenied) when calling the DescribeStacks operation: not authorized"
UNCHANGED = "An error occurred (ValidationError) when calling the UpdateStack operation: No updates are to be performed."


def step():
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    steps = workflow["jobs"]["deploy"]["steps"]
    return next(step["run"] for step in steps if step.get("name") == "Update the stacks")


def run(describe="echo LogDays", update="true", wait="true"):
    """Runs the step as the runner does; each answer is a line of shell. Returns the exit code, the output and the calls."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        aws = folder / "aws"
        aws.write_text(
            "#!/bin/bash\n"
            f'echo "$*" >> {folder}/calls\n'
            f'case "$2" in describe-stacks) {describe} ;; update-stack) {update} ;; wait) {wait} ;; esac\n'
        )
        aws.chmod(0o755)
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "RUNNER_TEMP": str(folder), "VERSION": "v2"}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step()],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        return done.returncode, done.stdout + done.stderr, (folder / "calls").read_text().splitlines()


def refused(words):
    return f'echo "{words}" >&2; exit 254'


class Release(unittest.TestCase):
    def test_stacks_get_the_version_and_keep_their_other_parameters(self):
        code, said, calls = run()
        self.assertEqual(code, 0, said)
        updates = [call for call in calls if "update-stack " in call]
        self.assertEqual(len(updates), 2, calls)
        self.assertIn("ParameterKey=ImageTag,ParameterValue=v2 ParameterKey=LogDays,UsePreviousValue=true", updates[0])
        self.assertIn("ParameterKey=Version,ParameterValue=v2", updates[1])

    def test_absent_stack_is_skipped(self):
        code, said, calls = run(describe=refused(ABSENT.format("${4#covid19-}")))
        self.assertEqual(code, 0, said)
        self.assertIn("covid19-pipeline does not exist yet", said)
        self.assertFalse([call for call in calls if "update-stack" in call])

    def test_denied_describe_fails_the_release(self):
        code, said, calls = run(describe=refused(DENIED))
        self.assertNotEqual(code, 0, said)
        self.assertIn("AccessDenied", said)
        self.assertEqual(len(calls), 1, calls)

    def test_stack_without_changes_succeeds_and_failed_update_fails(self):
        self.assertEqual(run(update=refused(UNCHANGED))[0], 0)
        self.assertNotEqual(run(update=refused("An error occurred (AccessDenied)"))[0], 0)
        code, said, _ = run(wait="exit 255")
        self.assertNotEqual(code, 0)
        self.assertIn("covid19-pipeline was not updated", said)


if __name__ == "__main__":
    unittest.main()
