import { decideFile } from '../../policy/decide-file.ts';
import { readJson } from '../read-json.ts';
import { fileArgument, print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';

export const casesHelp = `  {"cases": [{
    "id": "…",
    "policies": [{"effect": "EFFECT_ALLOW" | "EFFECT_DENY" | "EFFECT_GUARD",
                  "condition": "…", "consensus": "…", "time": "…",      absent: holds
                  "id": "…", "language": "turnkey" | "cel"}],           both optional
                                                                        without policies: those beside "cases"
    "facts": {"activity": {"type": "ACTIVITY_TYPE_SIGN_TRANSACTION_V2"}, "eth": {"tx": {…}}, "time": {"now": "…"}, …},
    "approvers": [{"id": "…", "tags": ["…"]}],
    "credentials": [{"id": "…", "user_id": "…", "type": "CREDENTIAL_TYPE_…"}],
    "rootQuorum": {"threshold": 1, "userIds": ["…"]}                    absent: no root user among the approvers
  }]}

Facts have the roots of the condition language. One that is absent is a namespace that the activity does not carry. What
calls answer about the past stands under \`history\`, by the call: {"history": {"spent('eip155:1', '24h')": {"$int": "…"},
"spending('eip155:1')": 5, "sinceLast('SIGN_TRANSACTION')": "90m", "newRecipients()": ["0x…"]}}.
Integers of any size are {"$int": "…"}, tuples are arrays in ABI order, times are RFC 3339.`;

const help = `usage: countersign policy decide FILE

Decides the cases of FILE and prints one JSON line for each. FILE (\`-\` is the standard input) holds

${casesHelp} Each line reads

  {"id", "outcome": "allow" | "deny" | "implicit-deny" | "error" | "rejected-at-creation",
   "pending", "decidedBy", "policyOutcomes", "trace"}

"pending": further approvals could still reach consensus. "error": nothing applied, and a policy (or the case itself, see
"error") could not be evaluated.`;

export const decideCommand: PolicyCommand = {
  help,
  run(args) {
    const results = decideFile(readJson(fileArgument(args, help)));
    for (const result of results) print(JSON.stringify(result));
  },
};
