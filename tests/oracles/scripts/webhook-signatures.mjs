// Whether the platforms' own libraries believe these deliveries.
// In: [{ platform, secret, body, signature, timestamp }], the timestamp in seconds, for Discord the public key as the secret.
// Out: [true or false].
import { isValidSlackRequest } from "@slack/bolt";
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import { verifyKey } from "discord-interactions";

const believed = {
  slack: ({ secret, body, signature, timestamp }) =>
    isValidSlackRequest({
      signingSecret: secret,
      body,
      headers: { "x-slack-signature": signature, "x-slack-request-timestamp": timestamp },
      nowMilliseconds: timestamp * 1000,
    }),
  linear: ({ secret, body, signature, timestamp }) => {
    // It takes no time but its own.
    Date.now = () => timestamp * 1000;
    try {
      return new LinearWebhookClient(secret).verify(Buffer.from(body), signature);
    } catch {
      return false;
    }
  },
  discord: ({ secret, body, signature, timestamp }) => verifyKey(body, signature, String(timestamp), secret),
};

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const told = [];
for (const one of JSON.parse(Buffer.concat(chunks).toString("utf8"))) told.push(await believed[one.platform](one));
process.stdout.write(JSON.stringify(told));
