import { CountersignClientError } from '../../../sdk/src/index.ts';

type Explanation = {
  readonly text: string;
  readonly policies: readonly { readonly policyName: string; readonly denies: boolean }[];
};

/** What the policies said (`explainDenials`), and the names of those that denied; undefined for any other error. */
export function readDenial(error: unknown): { text: string; denying: string[] } | undefined {
  if (!(error instanceof CountersignClientError) || error.code !== 'PERMISSION_DENIED') return undefined;
  const [detail] = error.details as readonly { readonly explanation?: Explanation }[];
  const { text = error.message, policies = [] } = detail?.explanation ?? {};
  return { text, denying: policies.filter(({ denies }) => denies).map(({ policyName }) => policyName) };
}
