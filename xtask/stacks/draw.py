"""Draws the stacks, from their templates, into docs/pictures/stacks.svg: the resources of each, and the stacks whose exports it uses.

`python draw.py` writes the picture; `check()` fails if it is out of date.
"""

import collections
from xml.sax.saxutils import escape

from templates import ROOT, exports, files, imports, load, name

PICTURE = ROOT / "docs/pictures/stacks.svg"

# Resources that only connect others are not drawn.
SMALL = {
    "AWS::EC2::NetworkAclEntry", "AWS::EC2::Route", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetNetworkAclAssociation", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::InstanceProfile", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Permission", "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::SSM::Parameter",
    "AWS::SecretsManager::SecretTargetAttachment",
}

WIDTH, COLUMNS, GAP, LINE, HEAD = 300, 3, 28, 17, 46


def boxes():
    """Returns the number, name and lines of each stack, and the stacks whose exports it uses."""
    made_by = {export: name(file) for file in files() for export in exports(load(file))}
    found = []
    for file in files():
        template = load(file)
        kinds = collections.Counter(
            resource["Type"].split("::", 1)[1].replace("::", " ")
            for resource in template["Resources"].values()
            if resource["Type"] not in SMALL
        )
        lines = [kind if count == 1 else f"{count} × {kind}" for kind, count in kinds.items()]
        uses = sorted({made_by[export] for export in imports(template)}, key=[name(f) for f in files()].index)
        found.append((file.stem.split("-")[0], name(file), lines, uses))
    return found


def picture():
    parts, top, lowest = [], GAP, 0
    row = []
    for at, (number, stack, lines, uses) in enumerate(boxes()):
        row.append((number, stack, lines, uses))
        if len(row) < COLUMNS and at + 1 < len(boxes()):
            continue
        height = HEAD + LINE * max(len(lines) + (2 if uses else 0) for _, _, lines, uses in row) + 10
        for column, box in enumerate(row):
            parts.append(drawn(GAP + column * (WIDTH + GAP), top, height, *box))
        top, lowest, row = top + height + GAP, top + height, []
    width = GAP + COLUMNS * (WIDTH + GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {lowest + GAP}" width="{width}" '
        'font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">\n'
        "<title>The stacks in the order of their deployment</title>\n"
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{"".join(parts)}</svg>\n'
    )


def drawn(left, top, height, number, stack, lines, uses):
    text = [
        f'<g><rect x="{left}" y="{top}" width="{WIDTH}" height="{height}" rx="6" fill="#f6f8fa" stroke="#57606a"/>\n',
        f'<text x="{left + 14}" y="{top + 27}" font-size="15" font-weight="bold" fill="#0b3d66">{number} {escape(stack)}</text>\n',
    ]
    for at, line in enumerate(lines):
        text.append(f'<text x="{left + 14}" y="{top + HEAD + LINE * at + 6}" fill="#24292f">{escape(line)}</text>\n')
    if uses:
        y = top + HEAD + LINE * (len(lines) + 1)
        text.append(f'<text x="{left + 14}" y="{y}" font-style="italic" fill="#57606a">uses {escape(", ".join(uses))}</text>\n')
    return "".join(text) + "</g>\n"


def check():
    stored = PICTURE.read_text() if PICTURE.exists() else ""
    assert stored == picture(), "docs/pictures/stacks.svg is out of date: run `cargo xtask stacks --draw`"


if __name__ == "__main__":
    PICTURE.write_text(picture())
