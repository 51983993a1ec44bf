"""RDS stops creating instances of a minor version about a year after its release, so a default names a major version alone.

Source: Amazon RDS for PostgreSQL Release Notes, "Release calendars"; CloudFormation, AWS::RDS::DBInstance, EngineVersion.
"""

import re

from rules import properties


def faults(templates):
    for stack, logical, instance in properties(templates, "AWS::RDS::DBInstance"):
        version = instance.get("EngineVersion")
        if isinstance(version, dict) and "Ref" in version:
            version = templates[stack]["Parameters"][version["Ref"]].get("Default", "")
        if isinstance(version, (str, int, float)) and version != "" and not re.fullmatch(r"\d+", str(version)):
            yield f"{stack}: {logical}: RDS will retire version {version}; name the major version alone"
