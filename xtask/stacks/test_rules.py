"""Each rule finds its fault in a template that has it, and none in the corrected template.

`python -m unittest test_rules`. A case has the name of the rule, resources with `HERE` in place of the fault, the faulty words, the
correct words, and part of the rule's message.
"""

import unittest

import yaml

import check_rules
from templates import Loader

INGRESS = """
Group:
  Type: AWS::EC2::SecurityGroup
  Properties: {GroupDescription: x, SecurityGroupIngress: [{IpProtocol: icmp, FromPort: 3, ToPort: 4, Description: HERE}]}
"""

MASTER = """
Master: {Type: AWS::RDS::DBInstance, Properties: {EngineVersion: HERE}}
"""

TOPIC = """
Policy:
  Type: AWS::SNS::TopicPolicy
  Properties:
    Topics: [!Ref Topic]
    PolicyDocument:
      Statement:
        - {Effect: Allow, Principal: {Service: cloudwatch.amazonaws.com}, Condition: {StringEquals: {aws:SourceAccount: x}}}
        - {Effect: Allow, Principal: {Service: [events.amazonaws.com]}, Action: sns:PublishHERE}
"""

TARGET = """
Rule:
  Type: AWS::Events::Rule
  Properties: {Targets: [{Id: reportHERE}]}
Queue: {Type: AWS::SQS::Queue}
Policy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Queue]
    PolicyDocument:
      Statement:
        - Effect: Allow
          Principal: {Service: events.amazonaws.com}
          Action: sqs:SendMessage
          Condition: {ArnEquals: {aws:SourceArn: !GetAtt Rule.Arn}}
Alarm:
  Type: AWS::CloudWatch::Alarm
  Properties: {Namespace: AWS/Events, MetricName: FailedInvocations, Dimensions: [{Name: RuleName, Value: !Ref Rule}]}
"""

QUEUED = "report, DeadLetterConfig: {Arn: !GetAtt Queue.Arn}"

INPUT = """
Rule:
  Type: AWS::Events::Rule
  Properties:
    Targets: [{Id: a, InputTransformer: {InputPathsMap: {reason: $.detail.stoppedReason}, InputTemplate: 'HERE'}}]
"""

REPLICA = """
Master:
  Type: AWS::RDS::DBInstance
  Properties: {DBParameterGroupName: !Ref Ours, MaxAllocatedStorage: 200, PreferredMaintenanceWindow: sun:07:00-sun:08:00}
Ours: {Type: AWS::RDS::DBParameterGroup, Properties: {Parameters: {max_connections: "200", max_worker_processes: "8"}}}
Replica:
  Type: AWS::RDS::DBInstance
  Properties: {SourceDBInstanceIdentifier: !Ref Master, DBParameterGroupName: !Ref Theirs, HERE}
Theirs: {Type: AWS::RDS::DBParameterGroup, Properties: {Parameters: {max_connections: "200", max_worker_processes: "8"}}}
"""
WINDOW = "PreferredMaintenanceWindow: sun:06:00-sun:07:00"

WORKERS = """
Master: {Type: AWS::RDS::DBInstance, Properties: {DBParameterGroupName: !Ref Ours, PreferredMaintenanceWindow: sun:07:00-sun:08:00}}
Ours: {Type: AWS::RDS::DBParameterGroup, Properties: {Parameters: {max_connections: "200", max_worker_processes: "8"}}}
Replica:
  Type: AWS::RDS::DBInstance
  Properties: {SourceDBInstanceIdentifier: !Ref Master, DBParameterGroupName: !Ref Theirs, PreferredMaintenanceWindow: sun:06:00-sun:07:00}
Theirs: {Type: AWS::RDS::DBParameterGroup, Properties: {Parameters: {max_connections: "200"HERE}}}
"""

ENDPOINTS = """
Task:
  Type: AWS::ECS::TaskDefinition
  Properties: {ContainerDefinitions: [{Name: x, LogConfiguration: {LogDriver: awslogs}, Secrets: [{Name: A, ValueFrom: HERE}]}]}
Logs: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.logs"}}
Pull: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.ecr.api"}}
Images: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.ecr.dkr"}}
Layers: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.s3"}}
Ssm: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.ssm"}}
"""

TRUST = """
Role:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument:
      Statement: [{Condition: {StringLike: {"token.actions.githubusercontent.com:sub": [HERE]}}}]
"""
BY_NAME = '!Sub "repo:${Repository}:environment:production"'
BY_ID = '!Sub ["repo:${Owner}@${OwnerId}/${Name}@${Id}:environment:production", {Owner: x, Name: y}]'

IMAGES = """
Images:
  Type: AWS::ECR::Repository
  Properties:
    LifecyclePolicy:
      LifecyclePolicyText: |
        {"rules": [{"rulePriority": 2, "selection": {"countType": "imageCountMoreThan", "countNumber": 10, HERE}}]}
"""

LOOP = """
Function: {Type: AWS::Lambda::Function, Properties: {FunctionName: againHERE}}
Role:
  Type: AWS::IAM::Role
  Properties:
    Policies: [{PolicyDocument: {Statement: [{Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:r:1:function:again"}]}}]
"""

ZONES = """
Task: {Type: AWS::ECS::TaskDefinition, Properties: {RuntimePlatform: {CpuArchitecture: ARM64}, ContainerDefinitions: []}}
Subnet: {Type: AWS::EC2::Subnet, Properties: {AvailabilityZone: !Select [0, !GetAZs ""]HERE}}
"""

GROUP = """
Group: {Type: AWS::EC2::SecurityGroup, Properties: {SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, CidrIp: x}HERE]}}
"""

ACL = """
Acl: {Type: AWS::EC2::NetworkAcl}
Https: {Type: AWS::EC2::NetworkAclEntry, Properties: {NetworkAclId: !Ref Acl, Protocol: 6, PortRange: {From: 443, To: 443}}}
TooLarge: {Type: AWS::EC2::NetworkAclEntry, Properties: {NetworkAclId: !Ref Acl, Protocol: 1, Icmp: HERE}}
"""

BALANCER = """
Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {HEREScheme: !If [Outside, internet-facing, internal]}}
"""

SERVICES = """
Inside: {Type: AWS::ECS::Service, Condition: A, Properties: {Cluster: x, ServiceName: metabase}}
Outside: {Type: AWS::ECS::Service, Condition: B, Properties: {Cluster: xHERE}}
"""

LISTENERS = """
Group: {Type: AWS::ElasticLoadBalancingV2::TargetGroup}
Other: {Type: AWS::ElasticLoadBalancingV2::TargetGroup}
A: {Type: AWS::ElasticLoadBalancingV2::Listener, Condition: A, Properties: {DefaultActions: [{TargetGroupArn: !Ref Group}]}}
B: {Type: AWS::ElasticLoadBalancingV2::Listener, Condition: B, Properties: {DefaultActions: [{TargetGroupArn: !Ref HERE}]}}
"""

PARAMETERS = """
Ours: {Type: AWS::RDS::DBParameterGroup, Properties: {HEREFamily: postgres16}}
"""

RIGHTS = """
Role: {Type: AWS::IAM::Role, Properties: {Policies: [{PolicyDocument: {Statement: [{Action: HERE}]}}]}}
"""
TASK = """
Task: {Type: AWS::ECS::TaskDefinition, Properties: {ContainerDefinitions: []}}
"""
TASK_RIGHTS = "[%s]" % ", ".join(
    [
        *(f"ecs:{verb}TaskDefinition" for verb in ("Register", "Deregister", "Describe")),
        *(f"ecs:{verb}" for verb in ("ListTagsForResource", "TagResource", "UntagResource")),
        "iam:GetRole",
        "iam:PassRole",
    ]
)

CASES = [
    ("descriptions", INGRESS, '"the API of EC2\'s"', "the API of EC2", "EC2 rejects"),
    ("descriptions", INGRESS, "contraseña", '"a-z (1), #2: @[+=&;{}!$*]"', "EC2 rejects"),
    ("engine_versions", MASTER, '"16.9"', '"16"', "RDS will retire version 16.9"),
    ("topic_policies", TOPIC, ", Condition: {StringEquals: {aws:SourceAccount: x}}", "", "cannot publish"),
    ("rule_targets", TARGET, "", ", DeadLetterConfig: {Arn: !GetAtt Queue.Arn}", "no dead-letter queue"),
    ("rule_targets", TARGET.replace("aws:SourceArn: !GetAtt Rule.Arn", "aws:SourceArn: HERE").replace("reportHERE", QUEUED),
     "other", "!GetAtt Rule.Arn", "does not let EventBridge send"),
    ("rule_targets", TARGET.replace("FailedInvocations", "HERE").replace("reportHERE", QUEUED),
     "Invocations", "FailedInvocations", "no alarm on its FailedInvocations"),
    ("input_templates", INPUT, '"It failed: <reason>"', '{"it failed": <reason>}', "<reason> is in a string"),
    ("replicas", WORKERS, "", ', max_worker_processes: "8"', "`max_worker_processes` is None"),
    ("replicas", REPLICA, WINDOW, f"{WINDOW}, MaxAllocatedStorage: 200", "MaxAllocatedStorage is not its master's"),
    ("replicas", REPLICA.replace("HERE", "MaxAllocatedStorage: 200, PreferredMaintenanceWindow: HERE"),
     "sun:07:00-sun:08:00", "sun:06:00-sun:07:00", "is not over before its master's"),
    ("endpoints", ENDPOINTS, "!ImportValue secret", "/covid19/parameter", "no task uses the endpoint of `ssm`"),
    ("endpoints", ENDPOINTS.replace("{Name: A, ValueFrom: HERE}", "{Name: A, ValueFrom: /covid19/x}, {Name: B, ValueFrom: HERE}"),
     "!ImportValue secret", "/covid19/y", "no endpoint of `secretsmanager`"),
    ("release_trust", TRUST, BY_NAME, f"{BY_NAME}, {BY_ID}", "named with ids"),
    ("release_trust", TRUST, BY_ID, f"{BY_ID}, {BY_NAME}", "named without ids"),
    ("release_rights", RIGHTS, "ecs:RegisterTaskDefinition", TASK_RIGHTS, "lacks `ecs:TagResource`"),
    ("repositories", IMAGES, '"tagStatus": "any"', '"tagStatus": "tagged", "tagPatternList": ["*"]', "each architecture"),
    ("recursion", LOOP, "", ", RecursiveLoop: Allow", "it invokes itself"),
    ("zones", ZONES, "", ", AvailabilityZoneId: x", "cannot be chosen by id"),
    ("path_mtu", GROUP, "", ", {IpProtocol: icmp, FromPort: 3, ToPort: 4, CidrIp: x}", "no ICMP type 3"),
    ("path_mtu", ACL, "{Type: 3, Code: 1}", "{Type: 3, Code: 4}", "no ICMP type 3, code 4"),
    ("fixed_names", BALANCER, "Name: metabase, ", "", "another Scheme replaces it"),
    ("fixed_names", SERVICES, ", ServiceName: metabase", "", "have the same name metabase"),
    ("fixed_names", LISTENERS, "Group", "Other", "listeners of several conditions use it"),
    ("fixed_names", PARAMETERS, "DBParameterGroupName: covid19, ", "", "its name is fixed"),
]


def templates(text, here):
    """Returns the text as the stack of the release role, and a stack with a task that releases replace."""
    return {stack: {"Resources": yaml.load(body, Loader)} for stack, body in [("ci", text.replace("HERE", here)), ("pipeline", TASK)]}


class Rules(unittest.TestCase):
    def test_rule_finds_fault_and_accepts_corrected_template(self):
        for rule, text, wrong, right, words in CASES:
            with self.subTest(rule=rule, words=words):
                faults = check_rules.all_rules()[rule].faults
                found = list(faults(templates(text, wrong)))
                self.assertTrue(any(words in fault for fault in found), found)
                self.assertEqual(list(faults(templates(text, right))), [])

    def test_every_rule_has_a_case(self):
        self.assertEqual({case[0] for case in CASES}, set(check_rules.all_rules()))


if __name__ == "__main__":
    unittest.main()
