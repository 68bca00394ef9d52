/** An evaluator of IAM policies that nobody here wrote: @cloud-copilot/iam-simulate, which also knows every action of AWS. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { installAlone } from '../independent/npm-package.ts';
import type { Policy } from './policies.ts';
import type { Call } from './record.ts';

type Verdict = 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied';

type Simulate = (
  simulation: object,
  options: object,
) => Promise<
  | { readonly resultType: 'error'; readonly errors: object }
  | { readonly resultType: 'single' | 'wildcard'; readonly overallResult: Verdict }
>;

/**
 * The evaluator drops condition keys whose names callers choose; these are judged under the name of another such key that
 * it knows, which changes nothing about what they hold.
 */
const known = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value).replaceAll('"kms:EncryptionContext:', '"aws:PrincipalTag/'));

/** That of every key as it is made: it leaves to the account's roles who may use it. */
const KEY_POLICY: Policy & { Statement: readonly object[] } = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: 'kms:*',
      Resource: '*',
      ...{ Principal: { AWS: 'arn:aws:iam::000000000000:root' } },
    },
  ],
};

export interface Judge extends AsyncDisposable {
  /** `Allowed`, or why not. Rejects what it cannot judge: an action AWS does not know, a policy that is none. */
  judge(policies: readonly Policy[], call: Pick<Call, 'caller' | 'action' | 'resource' | 'context'>): Promise<string>;
}

export async function startJudge(): Promise<Judge> {
  const judge = await installAlone('@cloud-copilot/iam-simulate', '0.1.173');
  const entry = pathToFileURL(path.join(judge.folder, 'dist/esm/index.js')).href;
  const { runSimulation }: { runSimulation: Simulate } = await import(/* @vite-ignore */ entry);
  return {
    async judge(policies, { caller, action, resource, context }) {
      const simulation = {
        identityPolicies: known(policies).map((policy, nth) => ({ name: `${caller} ${nth}`, policy })),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        request: {
          principal: `arn:aws:iam::000000000000:role/${caller}`,
          action,
          resource: { resource, accountId: '000000000000' },
          contextVariables: known(context),
        },
        ...(action.startsWith('kms:') && { resourcePolicy: KEY_POLICY }),
      };
      const answer = await runSimulation(simulation, {});
      if (answer.resultType === 'error')
        throw new Error(`${action} on ${resource} cannot be judged: ${JSON.stringify(answer.errors)}`);
      return answer.overallResult;
    },
    [Symbol.asyncDispose]: () => judge[Symbol.asyncDispose](),
  };
}
