/** `countersign policy`: tools for those who write policies; no service is needed. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { decideFile } from '../policy/decide-file.ts';
import { FactError } from '../policy/read-facts.ts';
import { CountersignError } from '../protocol/errors.ts';
import { type JsonValue, parseJson } from '../protocol/json.ts';
import { OperatorError } from './operator-error.ts';

export const policyHelp = `usage: countersign policy decide FILE

Decides the cases of FILE and prints one JSON line for each. FILE (\`-\` is the standard input) holds

  {"cases": [{
    "id": "…",
    "policies": [{"effect": "EFFECT_ALLOW" | "EFFECT_DENY" | "EFFECT_GUARD",
                  "condition": "…", "consensus": "…", "time": "…",      absent: holds
                  "id": "…", "language": "turnkey" | "cel"}],           both optional
    "facts": {"activity": {"type": "ACTIVITY_TYPE_SIGN_TRANSACTION_V2"}, "eth": {"tx": {…}}, "time": {"now": "…"}, …},
    "approvers": [{"id": "…", "tags": ["…"]}],
    "credentials": [{"id": "…", "user_id": "…", "type": "CREDENTIAL_TYPE_…"}],
    "rootQuorum": {"threshold": 1, "userIds": ["…"]}                    absent: no root user among the approvers
  }]}

Facts have the roots of the condition language. One that is absent is a namespace that the activity does not carry.
Integers of any size are {"$int": "…"}, tuples are arrays in ABI order, times are RFC 3339. Each line reads

  {"id", "outcome": "allow" | "deny" | "implicit-deny" | "error" | "rejected-at-creation",
   "pending", "decidedBy", "policyOutcomes", "trace"}

"pending": further approvals could still reach consensus. "error": nothing applied, and a policy (or the case itself, see
"error") could not be evaluated.`;

/** Throws `OperatorError`. */
export function policy(args: readonly string[]): void {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
  const [command, file, ...others] = positionals;
  if (command !== 'decide' || file === undefined || others.length > 0) throw new OperatorError(policyHelp);
  const results = decide(file, readJson(file));
  process.stdout.write(results.map((result) => `${JSON.stringify(result)}\n`).join(''));
}

function decide(file: string, json: JsonValue): ReturnType<typeof decideFile> {
  try {
    return decideFile(json);
  } catch (error) {
    if (error instanceof FactError) throw new OperatorError(`${file}: ${error.message}`);
    throw error;
  }
}

function readJson(file: string): JsonValue {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new OperatorError(`cannot read ${file}: ${(error as Error).message}`);
  }
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    const places = error.facts.fields?.map(({ field, description }) => `${field}: ${description}`) ?? [error.message];
    throw new OperatorError(`${file} is not JSON: ${places.join('; ')}`);
  }
}
