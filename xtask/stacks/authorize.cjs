// Evaluates calls against IAM policies, with iam-simulate.
//
// `node authorize.cjs FOLDER` loads the evaluator from the `node_modules` folder. Reads
// `{"calls": [{"action", "resource", "context", "policies": [names]}], "policies": {name: document}}` from stdin and prints
// `{"denied": [{"call": index, "reason"}], "unused": {name: [words]}}`: the actions and resources of each statement that no call needed.

const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { runSimulation } = createRequire(`${process.argv[2]}/`)("@cloud-copilot/iam-simulate");

const { calls, policies } = JSON.parse(readFileSync(0, "utf8"));
const list = (value) => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const statements = (document) => list(document.Statement);
// The evaluator names a statement by its Sid, or by its number from 1.
const name = (statement, at) => statement.Sid ?? String(at + 1);
const key = (...words) => JSON.stringify(words);

const denied = [];
const used = new Set();

function use({ policyId, explain }) {
  const matching = (parts, part) => list(parts).filter(({ matches }) => matches).map((each) => each[part]);
  for (const word of [...matching(explain.actions, "action"), ...matching(explain.resources, "resource")]) {
    used.add(key(policyId, explain.identifier, word));
  }
}

async function evaluate({ action, resource, context, policies: names }, call) {
  const answer = await runSimulation(
    {
      request: {
        principal: "arn:aws:iam::123456789012:user/caller",
        action,
        resource: { resource, accountId: resource.split(":")[4] || "123456789012" },
        contextVariables: context,
      },
      identityPolicies: names.map((name) => ({ name, policy: policies[name] })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  const results = answer.resultType === "wildcard" ? answer.results : list(answer.result);
  const ignored = results.flatMap(({ ignoredContextKeys }) => list(ignoredContextKeys));
  if (answer.resultType === "error") {
    denied.push({ call, reason: `cannot be evaluated: ${JSON.stringify(answer.errors)}` });
  } else if (ignored.length > 0) {
    denied.push({ call, reason: `cannot be evaluated: the action has no condition key ${ignored.join(", ")}` });
  } else if (answer.overallResult !== "Allowed") {
    denied.push({ call, reason: answer.overallResult });
  } else {
    // Some actions need no permission.
    results.flatMap(({ analysis }) => list(analysis.identityAnalysis?.allowStatements)).forEach(use);
  }
}

function unused([policy, document]) {
  const words = statements(document).flatMap((statement, at) =>
    [...list(statement.Action), ...list(statement.Resource)]
      .filter((word) => !used.has(key(policy, name(statement, at), word)))
      .map((word) => `${name(statement, at)}: ${word}`),
  );
  return [policy, words];
}

async function main() {
  for (const [at, call] of calls.entries()) {
    await evaluate(call, at);
  }
  console.log(JSON.stringify({ denied, unused: Object.fromEntries(Object.entries(policies).map(unused)) }));
}

main();
