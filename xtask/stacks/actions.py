"""Checks that every action that a role may perform is used, by this project's code or by an AWS service.

A permission without an entry here fails, and so does an entry whose words are not in its file any more.
"""

from templates import ROOT, files, load, name

SERVICE = None

# The actions of each stack's roles and their users: a file and words in it, or an AWS service and its reason.
USED = {
    ("bastion", "ec2:AssociateAddress"): ("cloudformation/02-bastion.yaml", "aws ec2 associate-address"),
    ("pipeline", "ecr:GetAuthorizationToken"): (SERVICE, "ECS pulls the image"),
    ("pipeline", "ecr:BatchGetImage"): (SERVICE, "ECS pulls the image"),
    ("pipeline", "ecr:GetDownloadUrlForLayer"): (SERVICE, "ECS pulls the image"),
    ("pipeline", "logs:CreateLogStream"): (SERVICE, "ECS writes the container's log"),
    ("pipeline", "logs:PutLogEvents"): (SERVICE, "ECS writes the container's log"),
    ("pipeline", "secretsmanager:GetSecretValue"): (SERVICE, "ECS injects PGUSER and PGPASSWORD"),
    ("pipeline", "s3:GetObject"): ("etl/src/extract/ranges.rs", "get_opts"),
    ("pipeline", "s3:ListBucket"): ("etl/src/extract/mod.rs", "NotFound"),
    ("pipeline", "s3:PutObject"): ("etl/src/record.rs", "store.put"),
    ("pipeline", "s3:DeleteObject"): ("etl/src/report/run.rs", ".delete("),
    ("pipeline", "ecs:RunTask"): (SERVICE, "EventBridge starts the report"),
    ("pipeline", "iam:PassRole"): (SERVICE, "EventBridge starts the report"),
    ("ingest", "logs:CreateLogStream"): (SERVICE, "Lambda writes its log"),
    ("ingest", "logs:PutLogEvents"): (SERVICE, "Lambda writes its log"),
    ("ingest", "sqs:SendMessage"): (SERVICE, "Lambda writes to its dead-letter queue"),
    ("ingest", "s3:GetObject"): ("etl/src/download/version_cache.rs", "store.get"),
    ("ingest", "s3:PutObject"): ("etl/src/download/upload.rs", "put_part"),
    ("ingest", "s3:AbortMultipartUpload"): ("etl/src/download/upload.rs", "abort_multipart"),
    ("ingest", "s3:ListBucket"): ("etl/src/download/version_cache.rs", "head(key)"),
    ("ingest", "lambda:InvokeFunction"): ("etl/src/downloader/main.rs", ".invoke()"),
    ("ingest", "ecs:RunTask"): ("etl/src/downloader/start_load.rs", ".run_task()"),
    ("ingest", "iam:PassRole"): ("etl/src/downloader/start_load.rs", ".run_task()"),
    ("dashboard", "ecr:GetAuthorizationToken"): (SERVICE, "ECS pulls the image"),
    ("dashboard", "ecr:BatchGetImage"): (SERVICE, "ECS pulls the image"),
    ("dashboard", "ecr:GetDownloadUrlForLayer"): (SERVICE, "ECS pulls the image"),
    ("dashboard", "logs:CreateLogStream"): (SERVICE, "ECS writes the container's log"),
    ("dashboard", "logs:PutLogEvents"): (SERVICE, "ECS writes the container's log"),
    ("dashboard", "secretsmanager:GetSecretValue"): (SERVICE, "ECS injects user, password and key"),
    ("ci", "ecr:GetAuthorizationToken"): (".github/workflows/release.yml", "ecr get-login-password"),
    ("ci", "ecr:BatchCheckLayerAvailability"): (".github/workflows/release.yml", "skopeo copy"),
    ("ci", "ecr:BatchGetImage"): (".github/workflows/release.yml", "skopeo inspect"),
    ("ci", "ecr:CompleteLayerUpload"): (".github/workflows/release.yml", "skopeo copy"),
    ("ci", "ecr:InitiateLayerUpload"): (".github/workflows/release.yml", "skopeo copy"),
    ("ci", "ecr:PutImage"): (".github/workflows/release.yml", "skopeo copy"),
    ("ci", "ecr:UploadLayerPart"): (".github/workflows/release.yml", "skopeo copy"),
    ("ci", "s3:PutObject"): (".github/workflows/release.yml", "s3api put-object"),
    ("ci", "s3:GetObject"): (SERVICE, "CloudFormation passes the new code to Lambda"),
    ("ci", "s3:GetObjectVersion"): (SERVICE, "CloudFormation passes the new code to Lambda"),
    ("ci", "cloudformation:DescribeStacks"): (".github/workflows/release.yml", "describe-stacks"),
    ("ci", "cloudformation:UpdateStack"): (".github/workflows/release.yml", "update-stack"),
    ("ci", "ecs:RegisterTaskDefinition"): (SERVICE, "CloudFormation registers the new revision"),
    ("ci", "ecs:DeregisterTaskDefinition"): (SERVICE, "CloudFormation deregisters the old revision"),
    ("ci", "ecs:DescribeTaskDefinition"): (SERVICE, "CloudFormation reads the revision"),
    ("ci", "ecs:ListTagsForResource"): (SERVICE, "CloudFormation compares the revision's tags with the stack's"),
    ("ci", "ecs:TagResource"): (SERVICE, "CloudFormation adds the stack's tags to the revision"),
    ("ci", "ecs:UntagResource"): (SERVICE, "CloudFormation removes tags from the revision"),
    ("ci", "lambda:GetFunction"): (SERVICE, "CloudFormation waits for the new code"),
    ("ci", "lambda:GetFunctionConfiguration"): (SERVICE, "CloudFormation waits for the new code"),
    ("ci", "lambda:GetFunctionCodeSigningConfig"): (SERVICE, "CloudFormation reads the function"),
    ("ci", "lambda:GetFunctionRecursionConfig"): (SERVICE, "CloudFormation reads the function"),
    ("ci", "lambda:GetFunctionScalingConfig"): (SERVICE, "CloudFormation reads the function"),
    ("ci", "lambda:GetRuntimeManagementConfig"): (SERVICE, "CloudFormation reads the function"),
    ("ci", "lambda:ListTags"): (SERVICE, "CloudFormation compares the function's tags with the stack's"),
    ("ci", "lambda:PutFunctionRecursionConfig"): (SERVICE, "CloudFormation sets the function's RecursiveLoop"),
    ("ci", "lambda:TagResource"): (SERVICE, "CloudFormation adds the stack's tags to the function"),
    ("ci", "lambda:UntagResource"): (SERVICE, "CloudFormation removes tags from the function"),
    ("ci", "lambda:UpdateFunctionCode"): (SERVICE, "CloudFormation updates the code"),
    ("ci", "lambda:UpdateFunctionConfiguration"): (SERVICE, "CloudFormation updates the function"),
    ("ci", "iam:GetRole"): (SERVICE, "CloudFormation reads the roles of the task definition"),
    ("ci", "iam:PassRole"): (SERVICE, "CloudFormation registers the task definition with its roles"),
}


def granted():
    """Returns the pairs of stack and action that the roles grant."""
    found = set()
    for file in files():
        for resource in load(file)["Resources"].values():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            for policy in resource["Properties"].get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    assert statement["Effect"] == "Allow", statement
                    actions = statement["Action"]
                    for action in [actions] if isinstance(actions, str) else actions:
                        assert "*" not in action, f"{file.name} grants {action}"
                        found.add((name(file), action))
    return found


def check():
    unused, unknown = granted() - set(USED), set(USED) - granted()
    assert not unused, f"granted, but not listed as used: {sorted(unused)}"
    assert not unknown, f"listed as used, but not granted: {sorted(unknown)}"
    for (stack, action), (file, words) in USED.items():
        if file is not SERVICE:
            assert words in (ROOT / file).read_text(), f"{stack}: {action}: `{words}` is not in {file} any more"
    print(f"{len(USED)} granted actions are used")
