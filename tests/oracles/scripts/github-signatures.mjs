// Signs each body with GitHub's own package, and verifies the signatures it is given.
// In: [{ secret, body, signature }]. Out: [{ signature, verified }].
import { sign, verify } from "@octokit/webhooks-methods";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const cases = JSON.parse(Buffer.concat(chunks).toString("utf8"));
const told = [];
for (const { secret, body, signature } of cases) {
  told.push({ signature: await sign(secret, body), verified: await verify(secret, body, signature) });
}
process.stdout.write(JSON.stringify(told));
